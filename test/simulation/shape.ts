import { SeededRandom } from './seeded-random.ts'

export interface Shape {
  readonly peers: number
  /** How long things go wrong, ms of simulated time. */
  readonly troubleMs: number
  /** Sealing with real cryptography, not with what stands in for it. */
  readonly realCiphers: boolean
}

/** Share of seeds. Cryptography has tests of its own, and makes a seed half as dear again. */
const REAL_CIPHERS = 0.05

/** What a seed's schedule looks like: mostly short, because a thousand short ones find more than ten long ones. */
export function shapeOf(seed: number, peers?: number): Shape {
  const random = new SeededRandom(seed ^ 0x0ddba11)
  const kind = random.next()
  const most = random.pick([2, 2, 3, 4, 5])
  return {
    peers: peers ?? most,
    troubleMs: kind < 0.9 ? random.between(500, 4_000) : kind < 0.99 ? 20_000 : 90_000,
    realCiphers: random.chance(REAL_CIPHERS),
  }
}
