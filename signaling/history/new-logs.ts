import { type FillRandom, randomHex } from '../protocol/ids.ts'
import { Beginnings } from './beginnings.ts'
import type { Head, Heads } from './heads.ts'
import { type LogName, StoreError } from './store.ts'

/** How many logs there may be, as far as an operator says. */
export interface LogLimits {
  readonly mailboxesPerRoom: number
  /** Of one account. */
  readonly newLogsPerHour: number
}

export const LOG_LIMITS: LogLimits = Object.freeze({
  // Four times the members that a room has at most by default; at 80 such rooms the server's own bound comes first.
  mailboxesPerRoom: 1_000,
  // Who writes to everybody in a large company for the first time is held back once. Who makes up names takes a week
  // for the mailboxes of one server, a quarter of each room's, and by then the first have expired.
  newLogsPerHour: 500,
})

export interface NewLogsParts {
  readonly heads: Heads
  readonly random: FillRandom
  readonly bounds: (log: LogName) => { readonly ageMs: number } | undefined
  /** Asked each time. Default: `LOG_LIMITS`. */
  readonly limits?: () => LogLimits
  /** Nothing in it can be read any more. */
  readonly forget: (head: Head) => void
}

const EPOCH_BYTES = 8
/** Of a room's mailboxes, one part in so many is one account's to begin: who makes up names leaves the rest to others. */
const SHARE_PART = 4
const MOST_LOGS = 100_000
/** The rest is for the rooms themselves. */
const MOST_MAILBOXES = 80_000
/** Expired mailboxes that go away for a new one; there are more only after the bound was lowered. */
const EVICTED_AT_ONCE = 100

/** Whether there is place for another log, and who may begin it. What others have is never taken for it. */
export class NewLogs {
  readonly #parts: NewLogsParts
  readonly #limits: () => LogLimits
  readonly #beginnings: Beginnings

  constructor(parts: NewLogsParts) {
    this.#parts = parts
    const { limits = () => LOG_LIMITS } = parts
    this.#limits = limits
    this.#beginnings = new Beginnings(() => limits().newLogsPerHour)
  }

  /** @throws StoreError `history-full`, `mailboxes-full`, `rate-limited` */
  begin(log: LogName, account: string | undefined, nowMs: number): Head {
    const { heads, random } = this.#parts
    if (log.user !== undefined) this.#makePlace(log, account, nowMs)
    if (heads.size >= MOST_LOGS) throw new StoreError('history-full', 'the server keeps enough logs')
    if (account !== undefined && !this.#beginnings.take(account, nowMs)) {
      throw new StoreError('rate-limited', 'too many new logs and mailboxes in an hour: send it again in a minute')
    }
    const { room, user = null } = log
    const epoch = randomHex(EPOCH_BYTES, random)
    const begun = user === null || account === undefined ? {} : { by: account }
    const head: Head = { id: heads.takeId(), room, user, ...begun, epoch, first: 1, next: 1, bytes: 0, lastAtMs: nowMs }
    heads.add(head)
    return head
  }

  /** For a mailbox: what has expired in the same room goes away for it, and nothing else. @throws StoreError */
  #makePlace(log: LogName, account: string | undefined, nowMs: number): void {
    const { heads, bounds, forget } = this.#parts
    const { room } = log
    const { mailboxesPerRoom } = this.#limits()
    const sinceMs = nowMs - (bounds(log)?.ageMs ?? Number.POSITIVE_INFINITY)
    const share = Math.ceil(mailboxesPerRoom / SHARE_PART)
    const shareFull = (): boolean => account !== undefined && heads.begunIn(room, account) >= share
    const roomFull = (): boolean => heads.mailboxesOf(room) >= mailboxesPerRoom
    const serverFull = (): boolean => heads.mailboxes >= MOST_MAILBOXES || heads.size >= MOST_LOGS
    for (let evicted = 0; (shareFull() || roomFull() || serverFull()) && evicted < EVICTED_AT_ONCE; evicted += 1) {
      const oldest = heads.restingMailbox(room, sinceMs, shareFull() ? account : undefined)
      if (oldest === undefined) break
      forget(oldest)
    }
    if (shareFull()) {
      const message = `this sender has begun all of the room's mailboxes that one may (${share} of ${mailboxesPerRoom})`
      throw new StoreError('mailboxes-full', message)
    }
    if (roomFull()) {
      const message = `the room has all the mailboxes it may (${mailboxesPerRoom}): its server's operator can allow more`
      throw new StoreError('mailboxes-full', message)
    }
    if (serverFull()) throw new StoreError('history-full', 'the server keeps enough mailboxes')
  }
}
