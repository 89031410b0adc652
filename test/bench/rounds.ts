import type { Samples } from './figure.ts'
import { CONTESTANTS, type ContestantName } from './page/contestant.ts'
import type { Company, Stage } from './stage.ts'

/** How much is measured. */
export interface Effort {
  /** Pairs of pages are made anew so often: one pair may be lucky with its connection or its processes for good. */
  readonly sets: number
  /** Of what is held against a goal, in each set. */
  readonly rounds: number
  /** Of each load, each time that it is its turn. */
  readonly loadMs: number
  readonly pings: number
  readonly starts: number
  /** As `starts`, where the way is long. */
  readonly farStarts: number
  /** Transfers of large messages over a lossy way, of each, and how long one is. */
  readonly lossyRounds: number
  readonly lossyMs: number
  /** Between each member and the server; twice that between members. */
  readonly addedRttMs: readonly number[]
  readonly members: readonly number[]
  /** Messages of 100 bytes by which cost is measured. */
  readonly messages: number
}

export type EffortName = 'full' | 'quick'

export const EFFORTS: Readonly<Record<EffortName, Effort>> = {
  full: {
    sets: 3,
    rounds: 3,
    loadMs: 300,
    pings: 200,
    starts: 7,
    farStarts: 4,
    lossyRounds: 3,
    lossyMs: 12_000,
    addedRttMs: [50, 150],
    members: [2, 8, 16],
    messages: 10_000,
  },
  quick: {
    sets: 1,
    rounds: 2,
    loadMs: 200,
    pings: 100,
    starts: 2,
    farStarts: 2,
    lossyRounds: 1,
    lossyMs: 8_000,
    addedRttMs: [50],
    members: [2, 4],
    messages: 2_000,
  },
}

/** Turns of each contestant in one round, there and back and there and back. */
const TURNS = 4

export interface Rounds {
  readonly rounds: number
  /** Default 1. An even number takes the order out of a round. */
  readonly turns?: number
}

/** What a turn showed, by name. */
export type Values<What extends string> = Readonly<Record<What, number>>

/** What the turns of all showed: a value of each contestant in each round, by name. */
export class Measured<What extends string> {
  readonly #samples = new Map<What, Map<ContestantName, number[]>>()

  add(what: What, name: ContestantName, ...values: readonly number[]): void {
    const ofWhat = this.#samples.get(what) ?? new Map<ContestantName, number[]>()
    this.#samples.set(what, ofWhat.set(name, [...(ofWhat.get(name) ?? []), ...values]))
  }

  addAll(other: Measured<What>): void {
    for (const [what, samples] of other.#samples) {
      for (const [name, values] of samples) this.add(what, name, ...values)
    }
  }

  get names(): readonly What[] {
    return [...this.#samples.keys()]
  }

  of(what: What): Samples {
    return this.#samples.get(what) ?? new Map()
  }
}

/**
 * One value of each contestant in each round. A round is so many short turns of each, forwards and backwards by turns
 * (A B B A): what changes with time (a machine that gets warm, another program) hits all alike, whether it lasts longer
 * than a turn or shorter. Its value is their mean. A first round is not counted.
 */
export async function interleaved<What extends string>(
  contestants: readonly ContestantName[],
  { rounds, turns = 1 }: Rounds,
  measure: (name: ContestantName) => Promise<Values<What>>,
): Promise<Measured<What>> {
  const measured = new Measured<What>()
  for (let round = 0; round <= rounds; round += 1) {
    const ofRound = new Measured<What>()
    for (let turn = 0; turn < turns; turn += 1) {
      const order = (round * turns + turn) % 2 === 0 ? contestants : [...contestants].reverse()
      for (const name of order) {
        const values = await measure(name)
        for (const what in values) ofRound.add(what, name, values[what])
      }
    }
    if (round === 0) continue
    for (const what of ofRound.names) {
      for (const [name, values] of ofRound.of(what)) measured.add(what, name, mean(values))
    }
  }
  return measured
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Of ours beside bare in rounds of short turns, over several sets of pairs; then of the others, in fewer rounds. */
export async function overSets<What extends string>(
  stage: Stage,
  { sets, rounds }: Pick<Effort, 'sets' | 'rounds'>,
  { peers }: { readonly peers: boolean },
  measure: (company: Company, name: ContestantName) => Promise<Values<What>>,
): Promise<Measured<What>> {
  const measured = new Measured<What>()
  const companies: (readonly ContestantName[])[] = Array.from({ length: sets }, () => ['ours', 'bare'])
  if (peers) companies.push(['peerjs', 'trystero'])
  for (const contestants of companies) {
    const met = await pairs(stage, contestants)
    const measureOne = (name: ContestantName): Promise<Values<What>> => measure(met.get(name) as Company, name)
    measured.addAll(await interleaved(contestants, { rounds, turns: TURNS }, measureOne))
    for (const company of met.values()) await company.leave()
  }
  return measured
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
