import type { Figure, Samples } from '../figure.ts'
import type { RelayName } from './contestants.ts'
import type { Load, Stretch } from './crowd.ts'
import { Generator, RelayServer } from './stage.ts'

/** Values of each contestant, by what they are of, in the order of the rounds. */
export class Values<What extends string> {
  readonly #values = new Map<What, Map<string, number[]>>()

  add(what: What, relay: string, value: number): void {
    const ofWhat = this.#values.get(what) ?? new Map<string, number[]>()
    this.#values.set(what, ofWhat.set(relay, [...(ofWhat.get(relay) ?? []), value]))
  }

  of(what: What): Samples<string> {
    return this.#values.get(what) ?? new Map()
  }
}

/**
 * So many rounds, in each of which every contestant has two turns, forwards and backwards (A B C C B A): what changes
 * with time hits all alike. Round 0 is to warm up.
 */
export async function rounds<Turn>(
  relays: readonly RelayName[],
  count: number,
  turn: (relay: RelayName) => Promise<Turn>,
  took: (relay: RelayName, turns: readonly Turn[]) => void,
): Promise<void> {
  for (let round = 0; round <= count; round += 1) {
    const turns = new Map<RelayName, Turn[]>()
    for (const relay of [...relays, ...[...relays].reverse()]) {
      turns.set(relay, [...(turns.get(relay) ?? []), await turn(relay)])
    }
    if (round > 0) for (const [relay, those] of turns) took(relay, those)
  }
}

/** Servers of these contestants and one generator, for as long as `use` takes. */
export async function withServers<T>(
  relays: readonly RelayName[],
  use: (servers: ReadonlyMap<RelayName, RelayServer>, generator: Generator) => Promise<T>,
): Promise<T> {
  const servers = new Map<RelayName, RelayServer>()
  const generator = await Generator.start()
  try {
    for (const relay of relays) servers.set(relay, await RelayServer.start(relay))
    return await use(servers, generator)
  } finally {
    await generator.close()
    for (const server of servers.values()) await server.close()
  }
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** µs of the server's processor time for one delivery. */
export const cost = (turns: readonly Load[]): number =>
  (sum(turns.map((turn) => turn.serverSeconds)) / sum(turns.map((turn) => turn.deliveries))) * 1e6

export const perSecond = (turns: readonly Load[]): number =>
  sum(turns.map((turn) => turn.deliveries)) / sum(turns.map((turn) => turn.seconds))

/** How busy server and generator were, and whether the generator set the pace. */
export class Busy {
  /** Whether the load is given, so that nobody sets the pace. */
  readonly #paced: boolean
  readonly #shares = new Map<string, { server: number; generator: number; seconds: number; lost: number }>()

  constructor({ paced = false }: { readonly paced?: boolean } = {}) {
    this.#paced = paced
  }

  add(relay: string, stretches: readonly (Stretch & { readonly lost?: number })[]): void {
    const shares = this.#shares.get(relay) ?? { server: 0, generator: 0, seconds: 0, lost: 0 }
    for (const { seconds, serverSeconds, generatorSeconds, lost } of stretches) {
      shares.server += serverSeconds
      shares.generator += generatorSeconds
      shares.seconds += seconds
      shares.lost += lost ?? 0
    }
    this.#shares.set(relay, shares)
  }

  get note(): string {
    const percent = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`
    const each = [...this.#shares].map(([relay, { server, generator, seconds, lost }]) => {
      const bottleneck =
        !this.#paced && server < 0.9 * seconds && generator > server ? ', which was the bottleneck' : ''
      const gone = lost > 0 ? `; ${lost} lost` : ''
      return `${relay} ${percent(server, seconds)}, generator ${percent(generator, seconds)}${bottleneck}${gone}`
    })
    return `Of one core the server used: ${each.join('; ')}.`
  }
}

/** A figure without a contest of rounds. */
export function plainFigure(
  what: Pick<Figure, 'name' | 'unit' | 'note' | 'at'>,
  values: ReadonlyMap<string, number>,
): Omit<Figure, 'goal' | 'holds'> {
  const { ours = Number.NaN, bare, ...peers } = Object.fromEntries(values)
  return { ...what, ours, bare: bare ?? null, peers, ratio: bare === undefined ? null : ours / bare }
}
