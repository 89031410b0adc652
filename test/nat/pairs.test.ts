/**
 * Every pair of NATs: messages flow both ways from the moment both join, through the upgrade, to the end. Nothing may
 * be lost, repeated or out of order, and each pair must end on the best path there is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bothOn, type Delivery, delivery, endTalk, pathsOf, startTalk } from './conversation.ts'
import { PAIRS, type Pair } from './expected-path.ts'
import { traceOf } from './fault-run.ts'
import { labObstacle } from './lab/able.ts'
import type { Client } from './lab/site.ts'
import type { Account } from './page/talker.ts'
import { pairPicture } from './picture.ts'
import { FOR_THE_DOCS, writeResults } from './results.ts'
import type { Stage } from './stage.ts'
import { StagePool } from './stage-pool.ts'
import { pairTable } from './tables.ts'

/** At a time: the machine that this is made for has two cores. What is published has both for itself. */
const STAGES = FOR_THE_DOCS ? 1 : 2
const UPGRADE_MS = 25_000
/** A pair that stays on the relay is watched until its attempts with TURN are under way, too. */
const RELAY_WATCH_MS = 4_000
/** Further messages, on the path that both have come to. */
const AFTERWARDS_MS = 700

export interface PairResult extends Pair {
  /** Sums of both directions. */
  readonly delivered: number
  readonly lost: number
  readonly repeated: number
  readonly outOfOrder: number
  /** From joinRoom to the first message of the other: the slower of both. */
  readonly firstMessageMs: number | undefined
  /** From joinRoom to the final path: the slower of both. `undefined` on the relay. */
  readonly upgradeMs: number | undefined
  readonly finalPaths: readonly (string | undefined)[]
  readonly why: readonly (string | undefined)[]
  readonly rttMs: number | undefined
  /** Times that a path was left after the final one was reached: none, unless the machine is under load. */
  readonly relapses: number
  readonly longestGapMs: number
  readonly missed: Account['missed']
  readonly unsettled: number
}

const slower = (values: readonly (number | undefined)[]): number | undefined =>
  values.includes(undefined) ? undefined : Math.round(Math.max(...values.map((value) => value ?? 0)))

function upgradeMs({ paths, joinedAtMs }: Account, wanted: string): number | undefined {
  const first = wanted === 'relay' ? undefined : paths.find(({ path }) => path === wanted)
  return first === undefined ? undefined : first.atMs - joinedAtMs
}

function relapses(paths: Account['paths'], wanted: string): number {
  return paths.filter(({ path }, index) => path !== wanted && paths[index - 1]?.path === wanted).length
}

function resultOf(pair: Pair, accounts: readonly [Account, Account]): Omit<PairResult, 'finalPaths'> {
  const [ada, bo] = accounts
  const both: readonly Delivery[] = [delivery(ada, bo), delivery(bo, ada)]
  const sum = (what: 'delivered' | 'lost' | 'repeated' | 'outOfOrder'): number =>
    both.reduce((total, one) => total + one[what], 0)
  const rtt = ada.rttMs ?? bo.rttMs
  return {
    ...pair,
    delivered: sum('delivered'),
    lost: sum('lost'),
    repeated: sum('repeated'),
    outOfOrder: sum('outOfOrder'),
    firstMessageMs: slower(both.map(({ firstMs }) => firstMs)),
    upgradeMs: slower(accounts.map((account) => upgradeMs(account, pair.path))),
    why: accounts.map(({ paths }) => paths.at(-1)?.why),
    rttMs: rtt === undefined ? undefined : Math.round(rtt * 10) / 10,
    relapses: accounts.reduce((total, { paths }) => total + relapses(paths, pair.path), 0),
    longestGapMs: Math.max(...both.map(({ longestGapMs }) => longestGapMs)),
    missed: accounts.flatMap(({ missed }) => missed),
    unsettled: ada.unsettled + bo.unsettled,
  }
}

/** The first site has one client, the second two. */
async function tryPair(stage: Stage, pair: Pair): Promise<{ result: PairResult; traces: readonly string[] }> {
  await stage.setKinds(pair.together ? [stage.lab.sites[0]?.kind ?? pair.a, pair.a] : [pair.a, pair.b])
  const [alone, first, second] = stage.lab.clients
  if (alone === undefined || first === undefined || second === undefined) throw new Error('the stage is too small')
  const clients: readonly [Client, Client] = pair.together ? [first, second] : [alone, first]
  const talk = await startTalk(stage, clients, `${pair.a}, ${pair.b}${pair.together ? ', together' : ''}`)
  if (pair.path === 'relay') await bothOn(talk, 'no such path', RELAY_WATCH_MS)
  else await bothOn(talk, pair.path, UPGRADE_MS)
  await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS))
  // A machine under load may have held up a ping: the relay then steps in for a moment, at either end.
  const arrived = pair.path !== 'relay' && (await bothOn(talk, pair.path, UPGRADE_MS))
  const finalPaths = arrived ? [pair.path, pair.path] : await pathsOf(talk)
  const accounts = await endTalk(talk)
  const traces = accounts.map((account) => traceOf(account, account.joinedAtMs).join('; '))
  return { result: { ...resultOf(pair, accounts), finalPaths }, traces }
}

const nameOf = ({ a, b, together, path }: Pair): string =>
  together ? `two behind the same NAT, ${a}: ${path}` : `${a} and ${b}: ${path}`

if (labObstacle !== undefined) console.warn(`The NAT lab is skipped: ${labObstacle}`)

describe.skipIf(labObstacle !== undefined)(`NAT pairs${labObstacle === undefined ? '' : ` (${labObstacle})`}`, () => {
  let pool: StagePool
  const results = new Map<Pair, PairResult>()

  beforeAll(async () => {
    pool = await StagePool.create(STAGES, [1, 2])
  })
  afterAll(async () => {
    await pool?.close()
    const ordered = PAIRS.flatMap((pair) => results.get(pair) ?? [])
    if (ordered.length === 0) return
    console.log(pairTable(ordered))
    await writeResults('nat-pairs', ordered, pairPicture(ordered), { whole: ordered.length === PAIRS.length })
  })

  it.concurrent.each(PAIRS.map((pair) => [nameOf(pair), pair] as const))('%s', async (_name, pair) => {
    const { result, traces } = await pool.use((stage) => tryPair(stage, pair))
    results.set(pair, result)
    expect(result, traces.join(' | ')).toMatchObject({ lost: 0, repeated: 0, outOfOrder: 0, missed: [], unsettled: 0 })
    expect(result.finalPaths, traces.join(' | ')).toEqual([pair.path, pair.path])
    expect(result.delivered).toBeGreaterThan(0)
  })
})
