import { CONTESTANTS, type ContestantName } from './page/contestant.ts'
import type { Company, Stage } from './stage.ts'

/** How much is measured: `quick` shows that it works, and roughly how it stands. */
export interface Effort {
  readonly rounds: number
  /** Of each load in each round. */
  readonly loadMs: number
  readonly pings: number
  readonly starts: number
  /** Between each member and the server; twice that between members. */
  readonly addedRttMs: readonly number[]
  readonly members: readonly number[]
  /** Messages of 100 bytes by which cost is measured. */
  readonly messages: number
}

export const EFFORTS: Readonly<Record<'full' | 'quick', Effort>> = {
  full: {
    rounds: 9,
    loadMs: 1_500,
    pings: 400,
    starts: 9,
    addedRttMs: [50, 150],
    members: [2, 8, 16],
    messages: 10_000,
  },
  quick: { rounds: 3, loadMs: 400, pings: 100, starts: 3, addedRttMs: [50], members: [2, 4], messages: 2_000 },
}

/**
 * One value of each contestant in each round, one right after the other. Every second round goes backwards, so that
 * what changes with time (a machine that gets warm, another program) hits all alike. A first round is not counted.
 */
export async function interleaved(
  contestants: readonly ContestantName[],
  rounds: number,
  measure: (name: ContestantName) => Promise<number>,
): Promise<Map<ContestantName, number[]>> {
  const samples = new Map<ContestantName, number[]>(contestants.map((name) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse()
    for (const name of order) {
      const value = await measure(name)
      if (round > 0) samples.get(name)?.push(value)
    }
  }
  return samples
}

/** A pair of pages of each contestant, connected and quiet until they are used. */
export async function pairs(
  stage: Stage,
  contestants: readonly ContestantName[] = CONTESTANTS,
): Promise<ReadonlyMap<ContestantName, Company>> {
  const companies = new Map<ContestantName, Company>()
  for (const name of contestants) companies.set(name, await stage.gather(name, 2))
  return companies
}
