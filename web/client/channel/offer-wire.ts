/**
 * What members say about offered files: two reliable channels of the room, for all its application channels.
 *
 * On the control channel, JSON. `n` is the offer's number, counted by who offers it, so that (offerer, n) names an offer
 * and (offerer, n, receiver) a transfer.
 *
 *   offerer  → addressed   { t: 'offer', n, channel, name, type, sizeBytes, meta }
 *   offerer  → addressed   { t: 'withdraw', n, unreadable? }   nothing more comes; `unreadable`: the file cannot be read
 *   receiver → offerer     { t: 'accept', n, windowBytes }     send, at most so far beyond what the reader has taken
 *   receiver → offerer     { t: 'progress', n, bytes }         the reader has taken so much; all of it: the end
 *   receiver → offerer     { t: 'decline', n }                 not wanted, or not any more
 *
 * On the data channel, from the offerer to one receiver, binary:
 *
 *   u8 0 · u32 n · u32 index · bytes of the file    index counts the chunks of this transfer from 0; each has CHUNK_BYTES
 *                                                   of the file, the last what is left; a file of no bytes has none
 *
 * Unknown fields, unknown `t` and first bytes other than 0 are ignored, so that versions can grow.
 */
import {
  asInteger,
  asJson,
  asObject,
  asString,
  ByteReader,
  ByteWriter,
  type Json,
  LIMITS,
  ProtocolError,
} from '../../../signaling/protocol/index.ts'
import { OFFER_LIMITS } from './offer-limits.ts'

const HEAD_BYTES = 9
/** Hard. With its head, four fragments to the byte: 64 KiB messages are enough for full throughput. */
export const CHUNK_BYTES = 4 * LIMITS.fragmentBytes - HEAD_BYTES
const MOST_BYTES = Number.MAX_SAFE_INTEGER

export interface Announcement {
  readonly n: number
  readonly channel: string
  readonly name: string
  readonly type: string
  readonly sizeBytes: number
  readonly meta: Json
}

export type OfferMessage =
  | ({ readonly t: 'offer' } & Announcement)
  | { readonly t: 'withdraw'; readonly n: number; readonly unreadable?: boolean }
  | { readonly t: 'accept'; readonly n: number; readonly windowBytes: number }
  | { readonly t: 'progress'; readonly n: number; readonly bytes: number }
  | { readonly t: 'decline'; readonly n: number }

/** `undefined` for a message of a later version. @throws ProtocolError naming the field */
export function parseOfferMessage(value: unknown): OfferMessage | undefined {
  const fields = asObject(value, 'offer')
  const n = asInteger(fields.n, 'n', 0, 0xffff_ffff)
  switch (fields.t) {
    case 'offer':
      return {
        t: 'offer',
        n,
        channel: asString(fields.channel, 'channel', LIMITS.channelNameBytes),
        name: asString(fields.name, 'name', OFFER_LIMITS.nameBytes),
        type: asString(fields.type, 'type', OFFER_LIMITS.typeBytes),
        sizeBytes: asInteger(fields.sizeBytes, 'sizeBytes', 0, MOST_BYTES),
        meta: asJson(fields.meta, 'meta', OFFER_LIMITS.metaBytes),
      }
    case 'withdraw':
      return { t: 'withdraw', n, unreadable: fields.unreadable === true }
    case 'accept': {
      const { leastWindowBytes } = OFFER_LIMITS
      return { t: 'accept', n, windowBytes: asInteger(fields.windowBytes, 'windowBytes', leastWindowBytes, MOST_BYTES) }
    }
    case 'progress':
      return { t: 'progress', n, bytes: asInteger(fields.bytes, 'bytes', 0, MOST_BYTES) }
    case 'decline':
      return { t: 'decline', n }
    default:
      return undefined
  }
}

export function encodeChunk(n: number, index: number, bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(HEAD_BYTES + bytes.length))
  writer.u8(0)
  writer.u32(n)
  writer.u32(index)
  writer.raw(bytes)
  return writer.bytes
}

export interface Chunk {
  readonly n: number
  readonly index: number
  /** A view into the message. How many they must be, the transfer knows. */
  readonly bytes: Uint8Array
}

/** `undefined` for a message of a later version. @throws ProtocolError */
export function decodeChunk(message: unknown): Chunk | undefined {
  if (!(message instanceof Uint8Array)) throw new ProtocolError('chunk', 'expected bytes')
  const reader = new ByteReader(message)
  if (reader.u8() !== 0) return undefined
  return { n: reader.u32(), index: reader.u32(), bytes: reader.rest() }
}
