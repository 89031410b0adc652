import { type Figure, figureOf, type Goal, quantile } from '../figure.ts'
import { type Effort, overSets } from '../rounds.ts'
import type { Stage } from '../stage.ts'

const NEAR_BARE: Goal = { of: 'ratio', most: 1.1 }

/** 100 bytes there and 100 bytes back, one after another, from application to application. */
export async function roundTrip(stage: Stage, effort: Effort): Promise<Figure[]> {
  const measured = await overSets(stage, effort, { peers: true }, async ({ first }) => {
    const times = await first.evaluate((count) => guest.roundTrips(count, 100), effort.pings)
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  })
  const note = `Of every ${effort.pings} pings, one after another.`
  return [
    figureOf({ name: 'round trip, p50', unit: 'ms', note }, measured.of('p50'), NEAR_BARE),
    figureOf({ name: 'round trip, p99', unit: 'ms', note }, measured.of('p99'), NEAR_BARE),
  ]
}
