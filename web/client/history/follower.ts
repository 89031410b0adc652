/**
 * One log, followed: what was stored goes to the application once, whether it came live or was missed, and before what
 * comes live meanwhile. PROTOCOL.md, "Missing nothing".
 */
import { HISTORY_LIMITS, type HistoryEntry } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import type { HistoryCursor, HistoryOptions, StoredMessage } from '../face-history.ts'
import type { HistoryAnswer } from './requests.ts'
import { SeenIds } from './seen-ids.ts'

export interface FollowerDeps {
  readonly clock: Clock
  /** Ids of live messages that were taken before this was there: the last of those that follow each other, and the first. */
  readonly early: ReadonlyMap<string, string>
  /** When this member came, on the server's clock: what is stored from then on is not missed, however late the first answer is. */
  cameAtMs(): number
  /** A mailbox: it begins where the user has read, not with the `last`. */
  readonly mail: boolean
  ask(question: {
    readonly limit: number
    readonly after?: number
    readonly before?: number
    readonly epoch?: string
    readonly follow?: boolean
  }): Promise<HistoryAnswer>
  /** Undefined: it cannot be read, which has been told. */
  open(entry: HistoryEntry, epoch: string): Promise<StoredMessage | undefined>
  /** Whether this channel is open here. */
  opened(channel: string): boolean
  /** Whether it was taken. */
  hand(message: StoredMessage): boolean
  /** Sent by this instance. */
  own(id: string): boolean
  /** What comes live on this channel may be handed on again; without a name, on all. */
  release(channel?: string): void
  forgotten(reason: 'epoch' | 'age'): void
  /** So many were passed over: nobody reads their channel. */
  missed(messages: number): void
}

interface Fetched {
  readonly id: string
  readonly channel: string
  readonly place: HistoryCursor
  readonly message: StoredMessage | undefined
}

const { historyEntries, loggedPatienceMs, seenIds } = HISTORY_LIMITS
/** What comes live is held back for an answer, but not for a server that does not give one. */
const ANSWER_MS = 5_000
/** Waiting for channels that are not open; and for those that are, before more is asked for. */
const MOST_WAITING = 256
/** Asked for beyond the last so many: what was stored since we came, while the question was under way. */
const MEANWHILE = 32
/** Of more than that, the oldest are kept, and the others asked for again in their turn. */
const MOST_BEGUN = 1_280
/** After a refusal that may pass. */
const AGAIN_MS = 5_000

export class LogFollower {
  readonly #seen = new SeenIds(seenIds)
  /** In order, not handed on yet. */
  readonly #queue: Fetched[] = []
  /** Stored beyond `#fetched`, as far as was told. */
  readonly #ahead = new Map<number, string>()
  #epoch: string | undefined
  /** Of which epoch those are. */
  #aheadEpoch: string | undefined
  /** Everything up to here was handed on, passed over, or is in the queue. */
  #fetched = 0
  #begun: boolean
  #welcomes = 0
  #catchingUp = false
  #fetching = false
  #timer: TimerHandle | undefined
  #spare: (() => void) | undefined

  constructor(
    private readonly deps: FollowerDeps,
    private readonly wanted: HistoryOptions,
  ) {
    this.#epoch = wanted.since?.epoch
    this.#fetched = wanted.since?.offset ?? 0
    this.#begun = Boolean(wanted.since)
    for (const [last, first] of deps.early) this.#seen.note(last, first)
  }

  /** Everything up to here has been handed on, or passed over. */
  get cursor(): HistoryCursor | undefined {
    const [first] = this.#queue
    if (this.#epoch === undefined) return undefined
    return {
      epoch: this.#epoch,
      offset: first?.place.epoch === this.#epoch ? first.place.offset - 1 : this.#fetched,
    }
  }

  /** There is an uplink, or another one: it is followed from here on. */
  welcome(): void {
    this.#welcomes += 1
    this.#catchingUp = true
    // Whoever still fetches for an earlier one, and waits for the application, gives way.
    this.#spare?.()
    void this.#catchUp(this.#welcomes)
  }

  offline(): void {
    this.#welcomes += 1
    this.#disarm()
    this.#caughtUp()
  }

  close(): void {
    this.offline()
    this.#queue.length = 0
    this.#spare?.()
  }

  /** A message came live: `take` hands it on. False: not now. */
  live(channel: string, id: string, take: () => boolean): boolean {
    if (this.#seen.has(id)) return true
    if (this.#catchingUp || this.#queue.some((one) => one.channel === channel)) return false
    if (!take()) return false
    this.#seen.note(id)
    this.#advance()
    return true
  }

  /** These were stored. Without an epoch: the log was cleared. */
  logged(epoch: string | undefined, of: readonly { readonly offset: number; readonly id: string }[]): void {
    if (epoch !== (this.#aheadEpoch ?? this.#epoch)) this.#ahead.clear()
    this.#aheadEpoch = epoch
    for (const { offset, id } of of) this.#ahead.set(offset, id)
    // Where we are is not known before the answer.
    if (this.#catchingUp) return
    if (epoch !== this.#epoch) this.#anew(epoch)
    this.#advance()
  }

  /** A channel takes messages (again). */
  work(): void {
    const blocked = new Set<string>()
    const handed = new Set<string>()
    for (let at = 0; at < this.#queue.length; ) {
      const one = this.#queue[at] as Fetched
      if (blocked.has(one.channel)) {
        at += 1
        continue
      }
      // Out of the list while its handler runs, which may bring us here again.
      this.#queue.splice(at, 1)
      const { message } = one
      if (message === undefined || this.#isSeen(one.id) || this.deps.hand(message)) {
        this.#seen.note(one.id)
        handed.add(one.channel)
        continue
      }
      this.#queue.splice(at, 0, one)
      blocked.add(one.channel)
      at += 1
    }
    this.#passOver()
    if (this.#hasRoom) this.#spare?.()
    if (this.#catchingUp) return
    for (const channel of handed) if (!blocked.has(channel)) this.deps.release(channel)
  }

  /** Who opens no such channel does not want what is on it; the newest wait for it a while. */
  #passOver(): void {
    if (this.#queue.length <= MOST_WAITING) return
    const idle = this.#queue.filter(({ channel }) => !this.deps.opened(channel))
    const over = idle.slice(0, -MOST_WAITING)
    for (const one of over) this.#queue.splice(this.#queue.indexOf(one), 1)
    if (over.length > 0) this.deps.missed(over.length)
  }

  async #catchUp(welcome: number): Promise<void> {
    const patience = this.deps.clock.setTimeout(() => welcome === this.#welcomes && this.#caughtUp(), ANSWER_MS)
    try {
      const stale = (): boolean => welcome !== this.#welcomes
      const page = await (this.#begun ? this.#goOn(stale) : this.#begin(stale))
      if (stale()) return
      if (page.more && this.#begun) await this.#fetch(stale)
    } catch (error) {
      if (!(error instanceof PartylineError)) throw error
      const passes = error.code === 'store-failed' || error.code === 'rate-limited'
      if (passes && welcome === this.#welcomes) this.#again()
    } finally {
      this.deps.clock.clearTimeout(patience)
      if (welcome === this.#welcomes) {
        this.#caughtUp()
        if (this.#aheadEpoch !== undefined && this.#aheadEpoch !== this.#epoch) this.#anew(this.#aheadEpoch)
        this.#advance()
      }
    }
  }

  #again(): void {
    const { clock } = this.deps
    const welcome = this.#welcomes
    clock.setTimeout(() => {
      if (welcome === this.#welcomes) this.welcome()
    }, AGAIN_MS)
  }

  /**
   * For the first time, from the last so many that were stored before we came; what came then is sent to us live, and has
   * its place behind them all the same. Of a mailbox, from where the user has read.
   */
  async #begin(stale: () => boolean): Promise<{ readonly more: boolean }> {
    const { ask, mail, cameAtMs } = this.deps
    const last = mail ? 0 : (this.wanted.last ?? 0)
    const first = await ask({ limit: mail ? 0 : Math.min(last + MEANWHILE, historyEntries), follow: true })
    const { epoch, next } = first
    if (stale()) return { more: false }
    if (epoch === undefined) {
      this.#begun = true
      return { more: false }
    }
    let { entries, more } = first
    const older = (): number => entries.filter(({ atMs }) => atMs < cameAtMs()).length
    // One that is older shows that there are no more that are not.
    while (more && entries.length > 0 && older() < Math.max(last, 1)) {
      const limit = older() > 0 ? Math.min(last - older(), historyEntries) : historyEntries
      const page = await ask({ limit, epoch, before: entries[0]?.offset ?? next })
      if (stale()) return { more: false }
      if (page.epoch !== epoch) break
      entries = [...page.entries, ...entries].slice(0, MOST_BEGUN)
      more = page.more
    }
    entries = entries.slice(Math.max(0, older() - last))
    this.#epoch = epoch
    this.#fetched = mail ? Math.max(first.position ?? 0, first.first - 1) : (entries[0]?.offset ?? next) - 1
    this.#begun = true
    await this.#queueUp(epoch, entries)
    return { more: this.#fetched < next - 1 }
  }

  /** From the cursor. */
  async #goOn(stale: () => boolean): Promise<{ readonly more: boolean }> {
    const { wanted, deps } = this
    const epoch = this.#epoch
    const after = this.#fetched
    const page = await deps.ask({
      ...(epoch === undefined ? {} : { epoch }),
      after,
      limit: historyEntries,
      follow: true,
    })
    if (stale()) return { more: false }
    const { first, next } = page
    if (page.epoch === epoch || epoch === undefined) {
      if (first > after + 1) deps.forgotten('age')
      this.#epoch = page.epoch
      this.#fetched = Math.max(after, first - 1)
      if (page.epoch !== undefined) await this.#queueUp(page.epoch, page.entries)
      return page
    }
    deps.forgotten('epoch')
    this.#epoch = page.epoch
    if (deps.mail) {
      this.#fetched = Math.max(page.position ?? 0, first - 1)
      return { more: this.#fetched < next - 1 }
    }
    // Of another epoch, they are the last there are.
    const entries = page.entries.slice(-(wanted.last || historyEntries))
    this.#fetched = (entries[0]?.offset ?? next) - 1
    if (page.epoch !== undefined) await this.#queueUp(page.epoch, entries)
    return { more: false }
  }

  /** All that comes after `#fetched`. */
  async #fetch(stale: () => boolean): Promise<void> {
    if (this.#fetching || this.#epoch === undefined) return
    this.#fetching = true
    try {
      for (let more = true; more; ) {
        await this.#room()
        const epoch = this.#epoch
        if (stale() || epoch === undefined) return
        const page = await this.deps.ask({ epoch, after: this.#fetched, limit: historyEntries })
        if (stale() || page.epoch !== this.#epoch) return
        if (page.first > this.#fetched + 1) {
          this.deps.forgotten('age')
          this.#fetched = page.first - 1
        }
        await this.#queueUp(epoch, page.entries)
        more = page.more
      }
    } finally {
      this.#fetching = false
    }
  }

  /** Once the application has taken some of what it was given. */
  async #room(): Promise<void> {
    if (this.#hasRoom) return
    await new Promise<void>((resolve) => {
      this.#spare = resolve
    })
    this.#spare = undefined
  }

  get #hasRoom(): boolean {
    return (
      this.#queue.length < MOST_WAITING ||
      this.#queue.filter(({ channel }) => this.deps.opened(channel)).length < MOST_WAITING
    )
  }

  async #queueUp(epoch: string, entries: readonly HistoryEntry[]): Promise<void> {
    const opened = await Promise.all(
      entries.map(async (entry) => ({
        id: entry.id,
        channel: entry.channel,
        place: { epoch, offset: entry.offset },
        message: this.#isSeen(entry.id) ? undefined : await this.deps.open(entry, epoch),
      })),
    )
    for (const one of opened) {
      // Two of these may have been on their way.
      if (epoch !== this.#epoch || one.place.offset <= this.#fetched) continue
      this.#queue.push(one)
      this.#fetched = one.place.offset
    }
    this.work()
  }

  #anew(epoch: string | undefined): void {
    if (this.#epoch !== undefined) this.deps.forgotten('epoch')
    this.#epoch = epoch
    this.#fetched = 0
  }

  /** As far as offsets follow each other, of what has come live. */
  #advance(): void {
    if (this.#aheadEpoch === this.#epoch && !this.#catchingUp) {
      for (let id = this.#ahead.get(this.#fetched + 1); id !== undefined && this.#isSeen(id); ) {
        this.#fetched += 1
        id = this.#ahead.get(this.#fetched + 1)
      }
    }
    for (const offset of [...this.#ahead.keys()]) if (offset <= this.#fetched) this.#ahead.delete(offset)
    if (this.#ahead.size > 0) this.#arm()
  }

  /** What was stored should have come live by then. */
  #arm(): void {
    if (this.#timer !== undefined || this.#catchingUp) return
    const target = Math.max(...this.#ahead.keys())
    const welcome = this.#welcomes
    this.#timer = this.deps.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#fetched >= target) this.#advance()
      else {
        const stale = (): boolean => welcome !== this.#welcomes
        this.#fetch(stale).then(
          () => this.#advance(),
          () => stale() || this.#advance(),
        )
      }
    }, loggedPatienceMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.deps.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #caughtUp(): void {
    if (!this.#catchingUp) return
    this.#catchingUp = false
    this.deps.release()
  }

  #isSeen(id: string): boolean {
    return this.deps.own(id) || this.#seen.has(id)
  }
}
