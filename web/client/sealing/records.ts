/** What travels: SEALING.md, "Records". */
import { joined } from './octets.ts'
import type { CipherKey } from './primitives.ts'

/** The first byte. 0 and 5 are bodies of stored messages, by the same list: `BODY`. */
export const RECORD = Object.freeze({ link: 1, group: 2, key: 3, held: 4, profile: 6 } as const)
export type RecordKind = (typeof RECORD)[keyof typeof RECORD]

export const TAG_BYTES = 16
const GROUP_HEAD_BYTES = 15
export const HEAD_BYTES = 9

/** What sealing adds to a frame, at most. */
export const SEALED_BYTES = GROUP_HEAD_BYTES + TAG_BYTES

/** A sender key's name. */
export interface KeyName {
  readonly epoch: number
  readonly step: number
}

export interface RecordHead extends KeyName {
  readonly kind: RecordKind
  readonly counter: number
  readonly head: Uint8Array
  readonly ciphertext: Uint8Array
}

/** The nonce of a head, which ends with the counter. */
function nonceOf(head: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12)
  nonce.set(head.subarray(-8), 4)
  return nonce
}

function headOf(kind: RecordKind, counter: number, name?: KeyName): Uint8Array {
  const head = new Uint8Array(name ? GROUP_HEAD_BYTES : HEAD_BYTES)
  const view = new DataView(head.buffer)
  head[0] = kind
  if (name) {
    view.setUint32(1, name.epoch)
    view.setUint16(5, name.step)
  }
  view.setBigUint64(head.length - 8, BigInt(counter))
  return head
}

/** `name` in group records only. */
export async function sealRecord(
  key: CipherKey,
  kind: RecordKind,
  counter: number,
  plain: Uint8Array,
  name?: KeyName,
): Promise<Uint8Array> {
  const head = headOf(kind, counter, name)
  return joined(head, await key.seal(nonceOf(head), head, plain))
}

/** `undefined`: it is no record. */
export function decodeRecord(payload: Uint8Array): RecordHead | undefined {
  const kind = payload[0] as RecordKind
  const headBytes = kind === RECORD.group ? GROUP_HEAD_BYTES : HEAD_BYTES
  if (!(kind >= RECORD.link && kind <= RECORD.held) || payload.length < headBytes + TAG_BYTES) return undefined
  return recordHead(payload, headBytes)
}

/** Of a payload that has a head of so many bytes. */
export function recordHead(payload: Uint8Array, headBytes: number): RecordHead {
  const isGroup = headBytes === GROUP_HEAD_BYTES
  const view = new DataView(payload.buffer, payload.byteOffset)
  return {
    kind: payload[0] as RecordKind,
    epoch: isGroup ? view.getUint32(1) : 0,
    step: isGroup ? view.getUint16(5) : 0,
    // Beyond 2^53 it is not exact, and not ours.
    counter: Number(view.getBigUint64(headBytes - 8)),
    head: payload.subarray(0, headBytes),
    ciphertext: payload.subarray(headBytes),
  }
}

export const openRecord = (key: CipherKey, { head, ciphertext }: RecordHead): Promise<Uint8Array | undefined> =>
  key.open(nonceOf(head), head, ciphertext)

export function encodeKeyName({ epoch, step }: KeyName, key: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(6 + key.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, epoch)
  view.setUint16(4, step)
  bytes.set(key, 6)
  return bytes
}

export interface GivenKey extends KeyName {
  readonly key: Uint8Array
}

/** `undefined`: it has another size. */
export function decodeKeyName(bytes: Uint8Array, keyBytes: number): GivenKey | undefined {
  if (bytes.length !== 6 + keyBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { epoch: view.getUint32(0), step: view.getUint16(4), key: bytes.slice(6) }
}
