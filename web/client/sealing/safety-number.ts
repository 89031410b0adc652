import type { Announcement } from './announcement.ts'
import { compare, counted, labelled, NO_BYTES } from './octets.ts'
import type { Primitives } from './primitives.ts'

/** 60 digits in 12 groups of 5, the same for both: SEALING.md, "Identity and safety number". */
export async function safetyNumber(primitives: Primitives, one: Announcement, other: Announcement): Promise<string> {
  const keys = one.identity && other.identity ? [one.identity, other.identity] : [one.bytes, other.bytes]
  const hash = await primitives.sha256(labelled('safety', ...keys.sort(compare).map(counted)))
  const bytes = await primitives.hkdf(hash, NO_BYTES, labelled('digits'), 60)
  return Array.from({ length: 12 }, (_, group) => {
    const number = bytes.subarray(group * 5, group * 5 + 5).reduce((value, byte) => value * 256 + byte, 0)
    return String(number % 100_000).padStart(5, '0')
  }).join(' ')
}
