/** An entry as a row: `f64 atMs · u16 length of head · head, JSON · body`. */
import { decodeText, encodeText } from '../protocol/bytes.ts'
import type { Json } from '../protocol/guards.ts'
import type { PeerId } from '../protocol/ids.ts'
import type { NewEntry, StoredEntry } from './store.ts'

interface Head {
  readonly id: string
  readonly channel: string
  readonly from?: PeerId
  readonly userId?: string
  readonly profile?: Json
}

const FIXED_BYTES = 10

export function encodeEntry({ id, channel, from, userId, profile, body }: NewEntry, atMs: number): Uint8Array {
  // What is not there does not get into JSON.
  const head = encodeText(JSON.stringify({ id, channel, from, userId, profile }))
  const bytes = new Uint8Array(FIXED_BYTES + head.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, atMs)
  view.setUint16(8, head.length)
  bytes.set(head, FIXED_BYTES)
  bytes.set(body, FIXED_BYTES + head.length)
  return bytes
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
export const entryAtMs = (bytes: Uint8Array): number => viewOf(bytes).getFloat64(0)

/** The body is a view. */
export function decodeEntry(offset: number, bytes: Uint8Array): StoredEntry {
  const bodyAt = FIXED_BYTES + viewOf(bytes).getUint16(8)
  const { id, channel, from, userId, profile } = JSON.parse(decodeText(bytes.subarray(FIXED_BYTES, bodyAt))) as Head
  return { offset, atMs: entryAtMs(bytes), id, channel, from, userId, profile, body: bytes.subarray(bodyAt) }
}
