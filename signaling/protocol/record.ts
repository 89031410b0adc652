/** Records: what a member sends to the server to be stored, and what their bodies say. PROTOCOL.md, "Records". */
import { ByteReader, ByteWriter, encodeText, varintBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { CONTENT, type Content } from './frame.ts'
import { LIMITS } from './limits.ts'

/** The room's log, or the mailbox of a user. */
const LOG = Object.freeze({ room: 0, mail: 1 } as const)

export interface StoreRecord {
  /** Counts this instance's records in this room, from 1. */
  readonly n: number
  /** The sender's number of the channel, and the message's ordinal in it to the room; for mail its `number`. */
  readonly channel: number
  readonly ordinal: number
  /** The channel, as the application names it. */
  readonly name: string
  /** Whose mailbox; undefined: the room's log. */
  readonly user: string | undefined
  /** A view when it was read. */
  readonly body: Uint8Array
}

/**
 * Of the names of channels here: the application's, without the kind that the wire puts before it. As a number, not from
 * `LIMITS`, which would then stand as a whole in the client's first file.
 */
export const CHANNEL_NAME_BYTES = 60

/** What the payload of an envelope of kind `store` is. */
export function encodeStoreRecord({ n, channel, ordinal, name, user, body }: StoreRecord): Uint8Array {
  const nameBytes = encodeText(name)
  const userBytes = user === undefined ? undefined : encodeText(user)
  const size = 1 + 4 + varintBytes(channel) + 4 + varintBytes(nameBytes.length) + nameBytes.length
  const userSize = userBytes === undefined ? 0 : varintBytes(userBytes.length) + userBytes.length
  const writer = new ByteWriter(new Uint8Array(size + userSize + body.length))
  writer.u8(userBytes === undefined ? LOG.room : LOG.mail)
  writer.u32(n)
  writer.varint(channel)
  writer.u32(ordinal)
  writer.varint(nameBytes.length)
  writer.raw(nameBytes)
  if (userBytes !== undefined) {
    writer.varint(userBytes.length)
    writer.raw(userBytes)
  }
  writer.raw(body)
  return writer.bytes
}

/** `body` is a view. @throws ProtocolError */
export function decodeStoreRecord(bytes: Uint8Array): StoreRecord {
  const reader = new ByteReader(bytes)
  const log = reader.u8()
  if (log > LOG.mail) throw new ProtocolError('record.log', `unknown log ${log}`)
  const n = reader.u32()
  if (n === 0) throw new ProtocolError('record.n', 'expected 1 or more')
  const channel = reader.varint()
  if (channel >= LIMITS.channels) throw new ProtocolError('record.channel', `expected less than ${LIMITS.channels}`)
  const ordinal = reader.u32()
  const name = reader.text(CHANNEL_NAME_BYTES)
  if (name === '') throw new ProtocolError('record.name', 'expected 1 byte or more')
  const user = log === LOG.mail ? reader.text(LIMITS.userIdBytes) : undefined
  if (user === '') throw new ProtocolError('record.user', 'expected 1 byte or more')
  return { n, channel, ordinal, name, user, body: reader.rest() }
}

/** The id of the message that a record holds, the same as of its live copies. */
export const storeRecordId = (instance: string, { channel, ordinal, user }: StoreRecord): string =>
  `${instance}-${channel}-${user === undefined ? ordinal : `u${ordinal}`}`

/** First byte of a body: readable by the server, or sealed as SEALING.md says. */
export const BODY = Object.freeze({ plain: 0, sealed: 5 } as const)

export interface PlainBody {
  readonly content: Exclude<Content, typeof CONTENT.void>
  /** On the room clock. */
  readonly sentAtMs: number
  /** A view when it was read. */
  readonly data: Uint8Array
}

/** What is inside a body, plain or sealed: `u8 content · u48 sentAtMs · data`. */
export function encodeInside({ content, sentAtMs, data }: PlainBody): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(7 + data.length))
  const ms = Math.max(0, Math.round(sentAtMs))
  writer.u8(content)
  writer.u24(Math.floor(ms / 0x100_0000) % 0x100_0000)
  writer.u24(ms % 0x100_0000)
  writer.raw(data)
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeInside(bytes: Uint8Array): PlainBody {
  const reader = new ByteReader(bytes)
  const content = reader.u8()
  if (content !== CONTENT.json && content !== CONTENT.text && content !== CONTENT.binary) {
    throw new ProtocolError('record.content', `unknown content ${content}`)
  }
  return { content, sentAtMs: reader.u24() * 0x100_0000 + reader.u24(), data: reader.rest() }
}

export function encodePlainBody(plain: PlainBody): Uint8Array {
  const inside = encodeInside(plain)
  const body = new Uint8Array(1 + inside.length)
  body.set(inside, 1)
  return body
}

/** @throws ProtocolError when it is sealed, or malformed */
export function decodePlainBody(body: Uint8Array): PlainBody {
  if (body[0] !== BODY.plain) throw new ProtocolError('record.body', 'expected a plain one')
  return decodeInside(body.subarray(1))
}
