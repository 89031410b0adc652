import { bothOn, delivery, endTalk, joinAt, startTalk, type Talk } from './conversation.ts'
import type { FaultResult } from './fault-run.ts'
import { traceOf } from './fault-run.ts'
import type { Account } from './page/talker.ts'
import type { Stage } from './stage.ts'

const UPGRADE_MS = 25_000
const CALM_MS = 1_000
export const RELOAD = 'both pages loaded anew at once'
const NEW_NAMES = ['Ada again', 'Bo again'] as const

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * A page that is loaded anew is another member. So nothing may be lost, repeated or out of order among the two before,
 * as far as their messages were said to be delivered, nor among the two after.
 */
export async function tryReload(stage: Stage): Promise<FaultResult> {
  const [one, other] = stage.lab.clients
  if (one === undefined || other === undefined) throw new Error('the stage is too small')
  await stage.setKinds(['port-restricted', 'port-restricted', 'port-restricted'])
  const talk = await startTalk(stage, [one, other], RELOAD)
  if (!(await bothOn(talk, 'direct', UPGRADE_MS))) throw new Error('not direct before the reload')
  await pause(CALM_MS)
  const beganAtMs = Date.now()
  await Promise.all(talk.pages.map((page) => page.reload()))
  const again = await joinAt(talk.pages, NEW_NAMES, RELOAD)
  const arrived = await bothOn(again, 'direct', UPGRADE_MS)
  await pause(CALM_MS)
  const before = await accountsBefore(talk)
  const after = await endTalk(again)
  return { ...resultOf(before, after, beganAtMs), arrived }
}

async function accountsBefore({ pages, names }: Talk): Promise<[Account, Account]> {
  return Promise.all([
    pages[0].evaluate((name) => talkers.Talker.before(name), names[1]),
    pages[1].evaluate((name) => talkers.Talker.before(name), names[0]),
  ])
}

type Accounts = readonly [Account, Account]

function resultOf(before: Accounts, after: Accounts, beganAtMs: number): Omit<FaultResult, 'arrived'> {
  const all = [before, after].flatMap(([ada, bo]) => [delivery(ada, bo, beganAtMs), delivery(bo, ada, beganAtMs)])
  const sum = (what: 'delivered' | 'lost' | 'repeated' | 'outOfOrder'): number =>
    all.reduce((total, one) => total + one[what], 0)
  const across = before.map((account, index) => {
    const lastMs = account.heard.at(-1)?.atMs ?? 0
    return Math.round((after[index]?.heard[0]?.atMs ?? Number.POSITIVE_INFINITY) - lastMs)
  })
  return {
    fault: RELOAD,
    before: 'direct',
    after: 'direct',
    delivered: sum('delivered'),
    lost: sum('lost'),
    repeated: sum('repeated'),
    outOfOrder: sum('outOfOrder'),
    silenceMs: 0,
    longestGapMs: Math.max(...across, ...all.map(({ longestGapMs }) => longestGapMs)),
    longestDelayMs: Math.max(...all.map(({ longestDelayMs }) => longestDelayMs)),
    recoveryMs: Math.max(
      ...after.map(({ paths }) => Math.round((paths.find(({ path }) => path === 'direct')?.atMs ?? 0) - beganAtMs)),
    ),
    aims: {},
    holds: { gap: undefined, recovery: undefined },
    missed: after.flatMap(({ missed }) => missed),
    unsettled: after.reduce((total, { unsettled }) => total + unsettled, 0),
    traces: [...before, ...after].map((account) => traceOf(account, beganAtMs)),
  }
}
