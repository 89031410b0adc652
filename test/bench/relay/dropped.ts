import { type Figure, rounded, withGoal } from '../figure.ts'
import { plainFigure, sum } from './contest.ts'
import type { RelayName } from './contestants.ts'
import type { DropsResult } from './drops.ts'
import type { RelayEffort } from './effort.ts'
import { Generator, RelayServer } from './stage.ts'

type Log = (text: string) => void

const ROOM_MEMBERS = 10
const SEND_EVERY_MS = 5_000
const DROP_EVERY_MS = 15_000
const DROP_FOR_MS = 2_000

const SUBJECTS: readonly { readonly name: RelayName | 'socket.io with recovery'; readonly relay: RelayName }[] = [
  { name: 'ours', relay: 'ours' },
  { name: 'bare', relay: 'bare' },
  { name: 'socket.io', relay: 'socket.io' },
  { name: 'socket.io with recovery', relay: 'socket.io' },
]

/** Members who lose their connection again and again while all send: what arrives exactly once, and when. */
export async function dropped({ dropMembers, dropProcesses, dropMs }: RelayEffort, log: Log): Promise<Figure[]> {
  const results = new Map<string, Outcome>()
  for (const { name, relay } of SUBJECTS) {
    log(`drops, ${name}`)
    const server = await RelayServer.start(name)
    const generators = await Promise.all(Array.from({ length: dropProcesses }, () => Generator.start()))
    try {
      const rooms = Math.floor(dropMembers / dropProcesses / ROOM_MEMBERS)
      const parts = await Promise.all(
        generators.map((generator, part) =>
          generator.drops({
            ...{ relay, recovery: name === 'socket.io with recovery', port: server.port, serverPid: server.pid },
            ...{ members: rooms * ROOM_MEMBERS, firstRoom: part * rooms, roomMembers: ROOM_MEMBERS },
            ...{ sendEveryMs: SEND_EVERY_MS, dropEveryMs: DROP_EVERY_MS, dropForMs: DROP_FOR_MS, ms: dropMs },
          }),
        ),
      )
      results.set(name, outcomeOf(parts))
    } finally {
      for (const generator of generators) await generator.close()
      await server.close()
    }
  }
  const busy = [...results].map(([name, { server, generator }]) => `${name} ${server} %, members ${generator} %`)
  const note = `${dropMembers} members in rooms of ${ROOM_MEMBERS}, in ${dropProcesses} processes; for ${dropMs / 1_000} s each sends every ${SEND_EVERY_MS / 1_000} s and loses its connection every ${DROP_EVERY_MS / 1_000} s for ${DROP_FOR_MS / 1_000} s. Ours are whole clients, by the relay alone; the others are as little as speaks to their server, keep what they could not send, and come back within a second. Of one core: ${busy.join('; ')}.`
  const figure = (name: string, unit: string, of: (outcome: Outcome) => number) =>
    plainFigure({ name, unit, note }, new Map([...results].map(([who, outcome]) => [who, of(outcome)])))
  return [
    withGoal(
      figure('drop test: delivered exactly once', '%', (outcome) => outcome.once),
      { of: 'ours', least: 100 },
    ),
    withGoal(
      figure('drop test: delivered twice', '%', (outcome) => outcome.twice),
      { of: 'ours', most: 0 },
    ),
    withGoal(
      figure('drop test: delay, p50', 'ms', (outcome) => outcome.p50),
      undefined,
    ),
    withGoal(
      figure('drop test: delay, p99', 'ms', (outcome) => outcome.p99),
      { of: 'ours', most: 3_000 },
    ),
  ]
}

interface Outcome {
  readonly once: number
  readonly twice: number
  readonly p50: number
  readonly p99: number
  /** Percent of one core. */
  readonly server: number
  readonly generator: number
}

function outcomeOf(parts: readonly DropsResult[]): Outcome {
  const total = (of: (part: DropsResult) => number): number => sum(parts.map(of))
  const expected = total((part) => part.expected)
  const delays = parts.flatMap((part) => part.delaysMs).sort(([a], [b]) => a - b)
  const seconds = Math.max(...parts.map((part) => part.seconds))
  // Not rounded up: 100 is all of them.
  const percent = (count: number): number => Math.floor((count / expected) * 1e6) / 1e4
  return {
    once: percent(total((part) => part.once)),
    twice: percent(total((part) => part.twice)),
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    server: Math.round((Math.max(...parts.map((part) => part.serverSeconds)) / seconds) * 100),
    generator: Math.round((total((part) => part.generatorSeconds) / seconds) * 100),
  }
}

function percentile(histogram: readonly (readonly [ms: number, count: number])[], part: number): number {
  const all = sum(histogram.map(([, count]) => count))
  let passed = 0
  for (const [ms, count] of histogram) {
    passed += count
    if (passed >= part * all) return rounded(ms)
  }
  return Number.NaN
}
