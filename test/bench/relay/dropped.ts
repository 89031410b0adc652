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

type SubjectName = RelayName | 'socket.io with recovery'

interface Subject {
  readonly name: SubjectName
  readonly relay: RelayName
  readonly members: number
  readonly sealed: boolean
}

/** Members who lose their connection again and again while all send: what arrives exactly once, and when. */
export async function dropped(effort: RelayEffort, log: Log): Promise<Figure[]> {
  const { dropMembers: members, dropSealedMembers, dropProcesses, dropMs } = effort
  const open = async (name: SubjectName, relay: RelayName): Promise<[string, Outcome]> => {
    log(`drops, ${name}`)
    return [name, await outcome({ name, relay, members, sealed: false }, effort)]
  }
  const outcomes = new Map([
    await open('ours', 'ours'),
    await open('bare', 'bare'),
    await open('socket.io', 'socket.io'),
    await open('socket.io with recovery', 'socket.io'),
  ])
  log('drops, ours sealed')
  const sealed = await outcome({ name: 'ours', relay: 'ours', members: dropSealedMembers, sealed: true }, effort)
  const how = `in rooms of ${ROOM_MEMBERS}, in ${dropProcesses} processes; for ${dropMs / 1_000} s each sends every ${SEND_EVERY_MS / 1_000} s and loses its connection every ${DROP_EVERY_MS / 1_000} s for ${DROP_FOR_MS / 1_000} s.`
  const busy = (which: ReadonlyMap<string, Outcome>): string =>
    `Of one core: ${[...which].map(([name, { server, generator }]) => `${name} ${server} %, members ${generator} %`).join('; ')}.`
  return [
    ...figuresOf(
      'drop test',
      `${members} members ${how} Ours are whole clients, by the relay alone, in open rooms, since nobody else encrypts; the others are as little as speaks to their server, keep what they could not send, and come back within a second. ${busy(outcomes)}`,
      outcomes,
    ),
    ...figuresOf(
      'drop test, encrypted from end to end',
      `${dropSealedMembers} members ${how} ${busy(new Map([['ours', sealed]]))}`,
      new Map([['ours', sealed]]),
    ),
  ]
}

function figuresOf(test: string, note: string, outcomes: ReadonlyMap<string, Outcome>): Figure[] {
  const figure = (name: string, unit: string, of: (one: Outcome) => number) =>
    plainFigure({ name: `${test}: ${name}`, unit, note }, new Map([...outcomes].map(([who, one]) => [who, of(one)])))
  return [
    withGoal(
      figure('delivered exactly once', '%', ({ once }) => once),
      { of: 'ours', least: 100 },
    ),
    withGoal(
      figure('delivered twice', '%', ({ twice }) => twice),
      { of: 'ours', most: 0 },
    ),
    withGoal(
      figure('delay, p50', 'ms', ({ p50 }) => p50),
      undefined,
    ),
    withGoal(
      figure('delay, p99', 'ms', ({ p99 }) => p99),
      { of: 'ours', most: 3_000 },
    ),
  ]
}

async function outcome(
  { name, relay, members, sealed }: Subject,
  { dropProcesses, dropMs }: Pick<RelayEffort, 'dropProcesses' | 'dropMs'>,
): Promise<Outcome> {
  const server = await RelayServer.start(name)
  const generators = await Promise.all(Array.from({ length: dropProcesses }, () => Generator.start()))
  try {
    const rooms = Math.floor(members / dropProcesses / ROOM_MEMBERS)
    const parts = await Promise.all(
      generators.map((generator, part) =>
        generator.drops({
          ...{ relay, sealed, recovery: name === 'socket.io with recovery', port: server.port, serverPid: server.pid },
          ...{ members: rooms * ROOM_MEMBERS, firstRoom: part * rooms, roomMembers: ROOM_MEMBERS },
          ...{ sendEveryMs: SEND_EVERY_MS, dropEveryMs: DROP_EVERY_MS, dropForMs: DROP_FOR_MS, ms: dropMs },
        }),
      ),
    )
    return outcomeOf(parts)
  } finally {
    for (const generator of generators) await generator.close()
    await server.close()
  }
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
