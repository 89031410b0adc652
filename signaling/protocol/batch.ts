/** How the carriers over plain HTTP put uplink messages into bodies: records, one after the other. */
import { ByteReader, ByteWriter, decodeText, encodeText, varintBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'

const KIND = Object.freeze({ text: 1, binary: 2, close: 3, opened: 4, ask: 5, ticket: 6 })

export type BatchRecord =
  /** A control message. */
  | { readonly kind: 'text'; readonly text: string }
  /** One or more envelopes. A view of the batch. */
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  /** The uplink ends here. */
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** Server to client, the first: what further requests name the uplink by. */
  | { readonly kind: 'opened'; readonly token: string }
  /** Server to client, after `opened`: what an EventSource names its stream by, once. */
  | { readonly kind: 'ticket'; readonly ticket: string }
  /** Server to client: say something, an empty batch will do. */
  | { readonly kind: 'ask' }

/** The header that further requests name their uplink by: token, a space, and the number of the request. */
export const UPLINK_HEADER = 'partyline-uplink'
/** The header that says which carrier is opened. */
export const CARRIER_HEADER = 'partyline-carrier'

function bodyOf(record: BatchRecord): Uint8Array {
  switch (record.kind) {
    case 'text':
      return encodeText(record.text)
    case 'binary':
      return record.bytes
    case 'opened':
      return encodeText(record.token)
    case 'ticket':
      return encodeText(record.ticket)
    case 'close': {
      const reason = encodeText(record.reason)
      const writer = new ByteWriter(new Uint8Array(2 + reason.length))
      writer.u16(record.code)
      writer.raw(reason)
      return writer.bytes
    }
    default:
      return new Uint8Array()
  }
}

/** One record, in bytes of its own. */
export function encodeRecord(record: BatchRecord): Uint8Array {
  const body = bodyOf(record)
  const writer = new ByteWriter(new Uint8Array(1 + varintBytes(body.length) + body.length))
  writer.u8(KIND[record.kind])
  writer.varint(body.length)
  writer.raw(body)
  return writer.bytes
}

/** The record of an uplink message. */
export const messageRecord = (message: string | Uint8Array): Uint8Array =>
  encodeRecord(typeof message === 'string' ? { kind: 'text', text: message } : { kind: 'binary', bytes: message })

/** Takes what goes into one body: the first, and more up to `mostBytes`. */
export function takeBatch(records: Uint8Array[], mostBytes: number): Uint8Array {
  let size = 0
  let count = 0
  for (const { length } of records) {
    if (count > 0 && size + length > mostBytes) break
    size += length
    count += 1
  }
  const batch = new Uint8Array(size)
  let at = 0
  for (const record of records.splice(0, count)) {
    batch.set(record, at)
    at += record.length
  }
  return batch
}

/** @throws ProtocolError when the bytes are no batch */
export function readBatch(bytes: Uint8Array): BatchRecord[] {
  const reader = new ByteReader(bytes)
  const records: BatchRecord[] = []
  while (reader.remaining > 0) {
    const kind = reader.u8()
    const body = reader.raw(reader.varint())
    if (kind === KIND.text) records.push({ kind: 'text', text: decodeText(body) })
    else if (kind === KIND.binary) records.push({ kind: 'binary', bytes: body })
    else if (kind === KIND.close) {
      const inside = new ByteReader(body)
      records.push({ kind: 'close', code: inside.u16(), reason: decodeText(inside.rest()) })
    } else if (kind === KIND.opened) records.push({ kind: 'opened', token: decodeText(body) })
    else if (kind === KIND.ask) records.push({ kind: 'ask' })
    else if (kind === KIND.ticket) records.push({ kind: 'ticket', ticket: decodeText(body) })
    else throw new ProtocolError('batch.kind', 'expected 1 to 6')
  }
  return records
}
