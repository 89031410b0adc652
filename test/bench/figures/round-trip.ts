import { type Figure, figureOf, type Goal, quantile } from '../figure.ts'
import type { ContestantName } from '../page/contestant.ts'
import { type Effort, interleaved } from '../rounds.ts'
import type { Company } from '../stage.ts'

const NEAR_BARE: Goal = { of: 'ratio', most: 1.1 }

/** 100 bytes there and 100 bytes back, one after another, from application to application. */
export async function roundTrip(pairs: ReadonlyMap<ContestantName, Company>, effort: Effort): Promise<Figure[]> {
  const slow = new Map<ContestantName, number[]>()
  const usual = await interleaved([...pairs.keys()], effort.rounds, async (name) => {
    const { first } = pairs.get(name) as Company
    const times = await first.evaluate((count) => guest.roundTrips(count, 100), effort.pings)
    slow.set(name, [...(slow.get(name) ?? []), quantile(times, 0.99)])
    return quantile(times, 0.5)
  })
  // The first round does not count here either.
  const slowest = new Map([...slow].map(([name, values]) => [name, values.slice(1)]))
  return [
    figureOf({ name: 'round trip, p50', unit: 'ms' }, usual, NEAR_BARE),
    figureOf(
      { name: 'round trip, p99', unit: 'ms', note: `The median of the p99 of each round of ${effort.pings}.` },
      slowest,
      NEAR_BARE,
    ),
  ]
}
