import type { Client } from './lab/site.ts'
import type { Account } from './page/talker.ts'
import type { Stage } from './stage.ts'
import type { TalkPage } from './talk-page.ts'

/** What became of the messages of one talker to another. */
export interface Delivery {
  /** Addressed to the other: sent when both were in the room. */
  readonly sent: number
  readonly delivered: number
  /** In silence: those that the sender was told of as missed are not among them. */
  readonly lost: number
  readonly repeated: number
  readonly outOfOrder: number
  /** Between two messages that came one after another, ms. */
  readonly longestGapMs: number
  /** From `send` to the other's application, ms. */
  readonly longestDelayMs: number
  /** From the receiver's `joinRoom` to the first message, ms. */
  readonly firstMs: number | undefined
}

/** `from` sent, `to` received; what each says of the other. Gaps and delays are those that end after `sinceMs`. */
export function delivery(from: Account, to: Account, sinceMs = 0): Delivery {
  const seen = new Set<number>()
  let repeated = 0
  let outOfOrder = 0
  let largest = -1
  let lastMs: number | undefined
  let longestGapMs = 0
  let longestDelayMs = 0
  for (const { n, atMs, delayMs } of to.heard) {
    if (seen.has(n)) repeated += 1
    else if (n < largest) outOfOrder += 1
    seen.add(n)
    largest = Math.max(largest, n)
    if (atMs >= sinceMs) {
      longestGapMs = Math.max(longestGapMs, atMs - (lastMs ?? atMs))
      longestDelayMs = Math.max(longestDelayMs, delayMs)
    }
    lastMs = atMs
  }
  const toldOf = new Set(from.missed.map(({ n }) => n))
  const lost = from.addressed.filter((n) => !seen.has(n) && !toldOf.has(n)).length
  const first = to.heard[0]
  return {
    sent: from.addressed.length,
    delivered: seen.size,
    lost,
    repeated,
    outOfOrder,
    longestGapMs: Math.round(longestGapMs),
    longestDelayMs: Math.round(longestDelayMs),
    firstMs: first === undefined ? undefined : Math.round(first.atMs - to.joinedAtMs),
  }
}

/** What a user of the lab waits for at both ends. */
export interface Talk {
  readonly pages: readonly [TalkPage, TalkPage]
  readonly names: readonly [string, string]
}

const NAMES = ['Ada', 'Bo'] as const
/** Messages of each talker. */
const PER_SECOND = 50
const SETTLING_MS = 40_000

/** Both join at the same moment, and talk from then on. */
export async function startTalk(
  stage: Stage,
  clients: readonly [Client, Client],
  room: string,
  { hideable, relayOnly = false }: TalkOptions = {},
): Promise<Talk> {
  const first = hideable === undefined ? stage.page(clients[0]) : stage.hideablePage(clients[0])
  const pages = await Promise.all([first, stage.page(clients[1])])
  if (hideable === 'to the minute') await pages[0].evaluate(() => talkers.holdTimersBack(60_000))
  return joinAt(pages, NAMES, room, { relayOnly })
}

/** How far the timers of a hidden page are held back: to one a second at once, to one a minute after some of them. */
export type Hiding = 'to the second' | 'to the minute'

export interface TalkOptions {
  /** The first talker's page can be hidden. */
  readonly hideable?: Hiding
  readonly relayOnly?: boolean
}

/** The same, at pages that are there. */
export async function joinAt(
  pages: Talk['pages'],
  names: Talk['names'],
  room: string,
  { relayOnly = false } = {},
): Promise<Talk> {
  const join = (page: TalkPage, name: string): Promise<void> =>
    page.evaluate((options) => talkers.Talker.join(options), { room, name, relayOnly, perSecond: PER_SECOND })
  await Promise.all([join(pages[0], names[0]), join(pages[1], names[1])])
  return { pages, names }
}

/** Whether both used this path to each other at one and the same time, in time. */
export async function bothOn(talk: Talk, path: string, withinMs: number): Promise<boolean> {
  const { pages, names } = talk
  const untilMs = performance.now() + withinMs
  for (;;) {
    const leftMs = Math.max(0, untilMs - performance.now())
    const on = pages.map((page, index) =>
      page.evaluate(([other, wanted, ms]) => talker.until(() => talker.path(other) === wanted, ms), [
        names[1 - index] ?? '',
        path,
        leftMs,
      ] as const),
    )
    if (!(await Promise.all(on)).every(Boolean)) return false
    // While one came to it, the other may have left it for a moment.
    if ((await pathsOf(talk)).every((now) => now === path)) return true
  }
}

/** The path that each says it uses now. */
export async function pathsOf({ pages, names }: Talk): Promise<readonly string[]> {
  const [ada, bo] = pages
  return Promise.all([
    ada.evaluate((other) => talker.path(other), names[1]),
    bo.evaluate((other) => talker.path(other), names[0]),
  ])
}

/** Both stop and wait until every message has an outcome, and tell. */
export async function endTalk({ pages, names }: Talk): Promise<[Account, Account]> {
  await Promise.all(pages.map((page) => page.evaluate(() => talker.stop())))
  await Promise.all(pages.map((page) => page.evaluate((ms) => talker.until(() => talker.settled(), ms), SETTLING_MS)))
  const [ada, bo] = pages
  const accounts = await Promise.all([
    ada.evaluate((other) => talker.account(other), names[1]),
    bo.evaluate((other) => talker.account(other), names[0]),
  ])
  await Promise.all(pages.map((page) => page.evaluate(() => talker.leave())))
  await Promise.all(pages.map((page) => page.close()))
  return accounts
}
