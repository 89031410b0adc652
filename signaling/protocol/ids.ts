import { ProtocolError } from './errors.ts'

declare const peerIdBrand: unique symbol
declare const instanceIdBrand: unique symbol

/** A member's name on the wire: 64 random bits, chosen by the server; as text, 16 lower-case hex digits. */
export type PeerId = string & { readonly [peerIdBrand]: true }
/** A running client's name: 128 random bits, chosen by the client; as text, 32 lower-case hex digits. */
export type InstanceId = string & { readonly [instanceIdBrand]: true }

export const PEER_ID_BYTES = 8
export const INSTANCE_ID_BYTES = 16

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Text of `length` bytes at `offset`; the caller has checked the bounds. */
export function hexAt(bytes: Uint8Array, offset: number, length: number): string {
  let text = ''
  for (let index = offset; index < offset + length; index += 1) text += HEX[bytes[index] as number]
  return text
}

export function writeHex(text: string, bytes: Uint8Array, offset: number): void {
  for (let index = 0; index < text.length; index += 2) {
    bytes[offset + index / 2] = Number.parseInt(text.slice(index, index + 2), 16)
  }
}

export const peerIdAt = (bytes: Uint8Array, offset: number): PeerId => hexAt(bytes, offset, PEER_ID_BYTES) as PeerId

/** A peer id as two signed 32-bit numbers, which cost nothing to keep, to compare and to write. */
export interface IdWords {
  readonly idHigh: number
  readonly idLow: number
}

export const wordsOf = (id: PeerId): IdWords => ({
  idHigh: Number.parseInt(id.slice(0, 8), 16) | 0,
  idLow: Number.parseInt(id.slice(8), 16) | 0,
})

/** Four bytes as a signed number. */
export const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number)

export function writeWord(word: number, bytes: Uint8Array, at: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

const PEER_ID = /^[0-9a-f]{16}$/
const INSTANCE_ID = /^[0-9a-f]{32}$/

export function parsePeerId(value: unknown, field: string): PeerId {
  if (typeof value !== 'string' || !PEER_ID.test(value)) throw new ProtocolError(field, 'expected 16 hex digits')
  return value as PeerId
}

export function parseInstanceId(value: unknown, field: string): InstanceId {
  if (typeof value !== 'string' || !INSTANCE_ID.test(value)) throw new ProtocolError(field, 'expected 32 hex digits')
  return value as InstanceId
}

/** `random` fills the array it is given, as `crypto.getRandomValues` does. */
export type FillRandom = (bytes: Uint8Array) => void

export function randomHex(byteLength: number, random: FillRandom): string {
  const bytes = new Uint8Array(byteLength)
  random(bytes)
  return hexAt(bytes, 0, byteLength)
}
