import type { Machine } from './machine.ts'
import type { ContestantName } from './page/contestant.ts'
import type { EffortName } from './rounds.ts'

/** One line of a benchmark's result. All benchmarks of the project print this form. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly ours: number
  /** The floor it is held against; `null` where there is none. */
  readonly bare: number | null
  /** Others' libraries, by name. */
  readonly peers: Readonly<Record<string, number>>
  /** Ours over bare: the median of the rounds, each of which measured both, one right after the other. */
  readonly ratio: number | null
  /** How far the middle half of the rounds' ratios reaches, as a part of `ratio`: more than 0.1, and the machine was not quiet. */
  readonly spread?: number
  /** `ratio >= 0.95`, `ours <= 12`, …; `null` where nothing was promised. */
  readonly goal: string | null
  readonly holds: boolean | null
  /** What one has to know to read it. */
  readonly note?: string
  /** What it was measured for, for pictures: members, bytes of a message. */
  readonly at?: Readonly<Record<string, number>>
}

export interface Report {
  readonly machine: Machine
  /** `quick` shows roughly how things stand; what is published is `full`. */
  readonly effort: EffortName
  /** What the parts took, s. */
  readonly seconds: Readonly<Record<string, number>>
  readonly figures: readonly Figure[]
}

export interface Goal {
  readonly of: 'ratio' | 'ours'
  readonly least?: number
  readonly most?: number
}

/** Of each contestant, a value of each round. */
export type Samples<Name extends string = ContestantName> = ReadonlyMap<Name, readonly number[]>

type Description = Pick<Figure, 'name' | 'unit' | 'note' | 'at'>

/** A figure of samples by round; each is told by its median. */
export function figureOf(what: Description, samples: Samples<string>, goal?: Goal): Figure {
  const ours = samples.get('ours') ?? []
  const bare = samples.get('bare') ?? []
  const ratios = ours.flatMap((one, round) => {
    const floor = bare[round]
    return floor === undefined || floor === 0 ? [] : [one / floor]
  })
  const peers: Record<string, number> = {}
  for (const [name, values] of samples) {
    if (name !== 'ours' && name !== 'bare' && values.length > 0) peers[name] = rounded(median(values))
  }
  return withGoal(
    {
      ...what,
      ours: rounded(median(ours)),
      bare: bare.length > 0 ? rounded(median(bare)) : null,
      peers,
      ratio: ratios.length > 0 ? rounded(median(ratios)) : null,
      ...(ratios.length > 2 ? { spread: spreadOf(ratios) } : {}),
    },
    goal,
  )
}

const OF_TRYSTERO =
  'Trystero: its core over a small pub/sub server, since its own WebSocket relay is not in the registry.'

export function withGoal(without: Omit<Figure, 'goal' | 'holds'>, goal: Goal | undefined): Figure {
  const note = 'trystero' in without.peers ? [without.note, OF_TRYSTERO].filter(Boolean).join(' ') : without.note
  const figure = note === undefined ? without : { ...without, note }
  if (goal === undefined) return { ...figure, goal: null, holds: null }
  const { of, least, most } = goal
  const value = figure[of]
  const holds =
    value !== null && value >= (least ?? Number.NEGATIVE_INFINITY) && value <= (most ?? Number.POSITIVE_INFINITY)
  return { ...figure, goal: least === undefined ? `${of} <= ${most}` : `${of} >= ${least}`, holds }
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

const spreadOf = (values: readonly number[]): number =>
  Number(((quantile(values, 0.75) - quantile(values, 0.25)) / median(values)).toFixed(2))

/** Of none: NaN. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** Four significant digits: more is noise. */
export const rounded = (value: number): number => Number(value.toPrecision(4))
