/**
 * A message of the benchmark: 100 bytes of ASCII, so that servers of text and of bytes carry the same. 8 digits say who
 * sent it, 14 when (µs on the generator's clock), the next 14 are its number; `p` in front of the rest marks a ping,
 * `q` its answer, `m` any other.
 */
export const PAYLOAD_BYTES = 100
const MARK_AT = 36
const FILLING = 'x'.repeat(PAYLOAD_BYTES - MARK_AT - 1)

export type Mark = 'm' | 'p' | 'q'

export function payloadText(sender: number, atMs: number, number: number, mark: Mark): string {
  return `${digits(sender, 8)}${digits(Math.round(atMs * 1_000), 14)}${digits(number, 14)}${mark}${FILLING}`
}

const digits = (value: number, width: number): string => String(value).padStart(width, '0')

function read(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at += 1) value = value * 10 + ((bytes[at] as number) - 48)
  return value
}

export const senderOf = (bytes: Uint8Array, start: number): number => read(bytes, start, start + 8)
/** ms */
export const sentAt = (bytes: Uint8Array, start: number): number => read(bytes, start + 8, start + 22) / 1_000
export const numberOf = (bytes: Uint8Array, start: number): number => read(bytes, start + 22, start + MARK_AT)
export const markOf = (bytes: Uint8Array, start: number): string =>
  String.fromCharCode(bytes[start + MARK_AT] as number)
