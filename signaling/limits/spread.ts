import type { FillRandom } from '../protocol/ids.ts'

/** From `ms` to twice that, at random: those who were turned away together do not come back together. */
export function spread(ms: number, random: FillRandom): number {
  const bytes = new Uint8Array(2)
  random(bytes)
  const share = ((bytes[0] as number) * 256 + (bytes[1] as number)) / 65_536
  return Math.round(ms * (1 + share))
}
