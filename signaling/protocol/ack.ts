/** Acknowledgements: PROTOCOL.md, "Acknowledgements", says what their fields mean. */
import { ByteReader, ByteWriter, varintBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { type Audience, FRAME, STREAMS, type StreamIndex } from './frame.ts'
import { LIMITS } from './limits.ts'

/** What a receiver says of one stream. */
export interface StreamAck {
  readonly stream: StreamIndex
  /** Every frame before this one has come. */
  readonly next: number
  /** Bit i (least significant first) of the bitmap: frame `next + 1 + i` has come. Trailing zeros are left out. */
  readonly bitmap: Uint8Array
}

/** Messages of this channel from `ordinal` on, as far as they have come, the application has not been handed yet. */
export interface Unread {
  readonly channel: number
  readonly audience: Audience
  readonly ordinal: number
}

export interface Ack {
  /** How long the newest frame waited before this acknowledgement left, ms. */
  readonly heldMs: number
  /** How long this receiver may wait at most, ms. */
  readonly delayMs: number
  /** How many bytes beyond `next` this receiver will still take, on each stream. */
  readonly windowBytes: number
  readonly streams: readonly StreamAck[]
  readonly unread: readonly Unread[]
}

const UNREAD = 16
/** Span of a bitmap: no sender has more frames unacknowledged. */
const BITMAP_BYTES = LIMITS.windowFrames / 8

export function encodeAck(ack: Ack): Uint8Array {
  let size = 1 + 2 + 2 + 4
  let flags = 0
  for (const { stream, bitmap } of ack.streams) {
    size += 4 + varintBytes(bitmap.length) + bitmap.length
    flags |= 1 << stream
  }
  if (ack.unread.length > 0) {
    flags |= UNREAD
    size += varintBytes(ack.unread.length)
    for (const { channel } of ack.unread) size += varintBytes(channel * 2 + 1) + 4
  }
  const writer = new ByteWriter(new Uint8Array(size))
  writer.u8((FRAME.ack << 5) | flags)
  writer.u16(Math.min(0xffff, Math.round(ack.heldMs)))
  writer.u16(Math.min(0xffff, Math.round(ack.delayMs)))
  writer.u32(ack.windowBytes)
  for (const { next, bitmap } of ack.streams) {
    writer.u32(next)
    writer.varint(bitmap.length)
    writer.raw(bitmap)
  }
  if (ack.unread.length > 0) {
    writer.varint(ack.unread.length)
    for (const { channel, audience, ordinal } of ack.unread) {
      writer.varint(channel * 2 + (audience === 'unicast' ? 1 : 0))
      writer.u32(ordinal)
    }
  }
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeAck(frame: Uint8Array): Ack {
  const reader = new ByteReader(frame)
  const flags = reader.u8()
  const heldMs = reader.u16()
  const delayMs = reader.u16()
  const windowBytes = reader.u32()
  const streams: StreamAck[] = []
  for (const stream of STREAMS) {
    if ((flags & (1 << stream)) === 0) continue
    const next = reader.u32()
    const length = reader.varint()
    if (length > BITMAP_BYTES) throw new ProtocolError('ack.bitmap', `expected at most ${BITMAP_BYTES} bytes`)
    streams.push({ stream, next, bitmap: reader.raw(length) })
  }
  const unread: Unread[] = []
  if (flags & UNREAD) {
    const count = reader.varint()
    if (count > 2 * LIMITS.channels) throw new ProtocolError('ack.unread', `expected at most ${2 * LIMITS.channels}`)
    for (let index = 0; index < count; index += 1) {
      const tagged = reader.varint()
      unread.push({ channel: tagged >>> 1, audience: tagged & 1 ? 'unicast' : 'room', ordinal: reader.u32() })
    }
  }
  return { heldMs, delayMs, windowBytes, streams, unread }
}
