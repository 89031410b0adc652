import { bothOn, delivery, endTalk, startTalk } from './conversation.ts'
import type { ExpectedPath } from './expected-path.ts'
import type { Aims, Fault, Scene } from './faults.ts'
import type { Account } from './page/talker.ts'
import type { Stage } from './stage.ts'

const UPGRADE_MS = 25_000
/** The talk, before the fault and after everything is well again. */
const CALM_MS = 1_000

export interface FaultResult {
  readonly fault: string
  readonly before: ExpectedPath
  readonly after: ExpectedPath
  /** Sums of both directions, over the whole talk. */
  readonly delivered: number
  readonly lost: number
  readonly repeated: number
  readonly outOfOrder: number
  /** What cannot be helped. */
  readonly silenceMs: number
  /** The longest time in which nothing came, in either direction. */
  readonly longestGapMs: number
  /** The longest that a message took. */
  readonly longestDelayMs: number
  /** From the end of the trouble (or its beginning, where it has no end) until both were on the path `after`. */
  readonly recoveryMs: number
  readonly aims: Aims
  /** `undefined` where nothing is aimed at. */
  readonly holds: { readonly gap: boolean | undefined; readonly recovery: boolean | undefined }
  /** Both came to the path `after`, and were on it a second later. */
  readonly arrived: boolean
  readonly missed: Account['missed']
  readonly unsettled: number
  /** What each saw of its path, ms from the beginning of the trouble. */
  readonly traces: readonly (readonly string[])[]
}

function sceneOn(stage: Stage): Omit<Scene, 'pages'> {
  const [first, second, third] = stage.lab.sites
  const [ada, bo] = stage.lab.clients
  if (!first || !second || !third || !ada || !bo) throw new Error('the stage is too small')
  return { stage, sites: [first, second, third], clients: [ada, bo] }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function tryFault(stage: Stage, fault: Fault): Promise<FaultResult> {
  const { kinds = ['port-restricted', 'port-restricted'], before = 'direct', after = before } = fault
  const place = sceneOn(stage)
  await stage.setKinds([...kinds, 'port-restricted'])
  await place.sites[0].delay(fault.delayMs ?? 0)
  const talk = await startTalk(stage, place.clients, fault.name, fault)
  const scene: Scene = { ...place, pages: talk.pages }
  if (!(await bothOn(talk, before, UPGRADE_MS))) throw new Error(`not ${before} before the fault`)
  await pause(CALM_MS)
  const beganAtMs = Date.now()
  await fault.begin(scene)
  await pause(fault.lastsMs)
  const endedAtMs = fault.end === undefined ? beganAtMs : Date.now()
  await fault.end?.(scene)
  await bothOn(talk, after, UPGRADE_MS)
  await pause(CALM_MS)
  const arrived = await bothOn(talk, after, UPGRADE_MS)
  const accounts = await endTalk(talk)
  await fault.tidy?.(scene)
  await place.sites[0].delay(0)
  return resultOf(fault, accounts, { beganAtMs, endedAtMs, arrived })
}

function resultOf(
  { name, before = 'direct', after = before, silenceMs = 0, aims = {}, mute = false, end }: Fault,
  accounts: readonly [Account, Account],
  { beganAtMs, endedAtMs, arrived }: { beganAtMs: number; endedAtMs: number; arrived: boolean },
): FaultResult {
  const [ada, bo] = accounts
  const both = [delivery(ada, bo, beganAtMs), delivery(bo, ada, beganAtMs)]
  const sum = (what: 'delivered' | 'lost' | 'repeated' | 'outOfOrder'): number =>
    both.reduce((total, one) => total + one[what], 0)
  const [, heardByFirst] = both
  const measured = {
    silenceMs,
    longestGapMs: Math.max(...(mute ? [heardByFirst] : both).map((one) => one?.longestGapMs ?? 0)),
    recoveryMs: Math.max(...accounts.map((account) => recoveryMs(account, after, endedAtMs, end !== undefined))),
  }
  return {
    fault: name,
    before,
    after,
    delivered: sum('delivered'),
    lost: sum('lost'),
    repeated: sum('repeated'),
    outOfOrder: sum('outOfOrder'),
    ...measured,
    longestDelayMs: Math.max(...both.map(({ longestDelayMs }) => longestDelayMs)),
    aims,
    holds: verdicts(measured, aims),
    arrived,
    missed: accounts.flatMap(({ missed }) => missed),
    unsettled: ada.unsettled + bo.unsettled,
    traces: accounts.map((account) => traceOf(account, beganAtMs)),
  }
}

type Measured = Pick<FaultResult, 'silenceMs' | 'longestGapMs' | 'recoveryMs'>

export function verdicts({ silenceMs, longestGapMs, recoveryMs }: Measured, aims: Aims): FaultResult['holds'] {
  const within = (ms: number, most: number | undefined) => (most === undefined ? undefined : ms <= most)
  return { gap: within(longestGapMs - silenceMs, aims.gapMs), recovery: within(recoveryMs, aims.recoveryMs) }
}

/** Until it first came to the path again. 0: it never left it. What has no end may be left a moment after its beginning. */
function recoveryMs({ paths }: Account, path: string, sinceMs: number, ended: boolean): number {
  const atFirst = paths.findLast(({ atMs }) => atMs <= sinceMs)
  const leaves = paths.findIndex((note) => note.atMs > sinceMs && note.path !== path)
  if (atFirst?.path === path && (ended || leaves < 0)) return 0
  const from = atFirst?.path === path ? leaves : 0
  const back = paths.find((note, index) => index >= from && note.atMs > sinceMs && note.path === path)
  return Math.round((back?.atMs ?? Number.POSITIVE_INFINITY) - sinceMs)
}

export function traceOf({ paths, events, joinedAtMs, attempts }: Account, beganAtMs: number): readonly string[] {
  const notes = paths.map(({ atMs, path, why }) => `${Math.round(atMs - beganAtMs)} ms: ${path}, ${why}`)
  return [...notes, ...events, `joined ${Math.round(joinedAtMs - beganAtMs)} ms, ${attempts} attempts`]
}
