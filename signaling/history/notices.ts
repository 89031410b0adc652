import type { Clock, Timer } from '../clock.ts'
import type { ServerMessage } from '../protocol/control.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'
import type { LogName } from './store.ts'

/** Who hears of a log, as far as this is concerned. */
export interface Follower {
  readonly userId: string | undefined
  /** Another one after each return; undefined while it is away. */
  readonly uplink: object | undefined
  control(text: string): void
}

interface Item<F extends Follower> {
  readonly offset: number
  readonly id: string
  /** Is told otherwise. */
  readonly by: F | undefined
}

interface Following<F extends Follower> {
  readonly log: LogName
  /** With the uplink by which it asked. */
  readonly followers: Map<F, object>
  epoch: string
  items: Item<F>[]
  timer: Timer | undefined
}

/** One message for a burst, and nobody waits long for what it has by other paths anyway. */
const GATHER_MS = 50

const nameOf = ({ room, user }: LogName): string => JSON.stringify(user === undefined ? [room] : [room, user])

/** Tells those who follow a log what came into it. */
export class Notices<F extends Follower> {
  readonly #clock: Clock
  readonly #may: (log: LogName, follower: F) => boolean
  readonly #followings = new Map<string, Following<F>>()

  /** `may`: asked whenever there is something to tell, for rights change. */
  constructor(clock: Clock, may: (log: LogName, follower: F) => boolean) {
    this.#clock = clock
    this.#may = may
  }

  /** From now on, until its uplink ends. */
  follow(log: LogName, follower: F): void {
    if (follower.uplink === undefined) return
    const name = nameOf(log)
    const following = this.#followings.get(name) ?? this.#begin(name, log)
    // What it is told of in its answer is not told again.
    if (following.followers.get(follower) !== follower.uplink) this.#tell(following)
    following.followers.set(follower, follower.uplink)
  }

  /** It is gone. */
  leave(room: string, follower: F): void {
    const names = [
      { room, user: undefined },
      ...(follower.userId === undefined ? [] : [{ room, user: follower.userId }]),
    ]
    for (const log of names) {
      const name = nameOf(log)
      const following = this.#followings.get(name)
      following?.followers.delete(follower)
      if (following !== undefined && following.followers.size === 0) this.#end(name, following)
    }
  }

  added(log: LogName, epoch: string, item: Item<F>): void {
    const following = this.#followings.get(nameOf(log))
    if (following === undefined) return
    if (following.epoch !== epoch) this.#tell(following)
    following.epoch = epoch
    following.items.push(item)
    if (following.items.length >= HISTORY_LIMITS.loggedItems) this.#tell(following)
    else following.timer ??= this.#clock.setTimeout(() => this.#tell(following), GATHER_MS)
  }

  cleared(log: LogName): void {
    const following = this.#followings.get(nameOf(log))
    if (following === undefined) return
    this.#tell(following)
    this.say(log, { t: 'logged', of: [], ...(log.user === undefined ? {} : { mail: true }) })
  }

  /** To everybody who follows, or those of them. Returns how many bytes it took. */
  say(log: LogName, message: ServerMessage, to: (follower: F) => boolean = () => true): number {
    const following = this.#followings.get(nameOf(log))
    if (following === undefined) return 0
    const text = JSON.stringify(message)
    const told = this.#present(following).filter(to)
    for (const follower of told) follower.control(text)
    return told.length * text.length
  }

  stop(): void {
    for (const [name, following] of this.#followings) this.#end(name, following)
  }

  #begin(name: string, log: LogName): Following<F> {
    const following = { log, followers: new Map<F, object>(), epoch: '', items: [], timer: undefined }
    this.#followings.set(name, following)
    return following
  }

  #end(name: string, { timer }: Following<F>): void {
    if (timer !== undefined) this.#clock.clearTimeout(timer)
    this.#followings.delete(name)
  }

  #present({ log, followers }: Following<F>): F[] {
    return [...followers].flatMap(([follower, uplink]) =>
      follower.uplink === uplink && this.#may(log, follower) ? [follower] : [],
    )
  }

  #tell(following: Following<F>): void {
    const { log, epoch, items, timer } = following
    if (timer !== undefined) this.#clock.clearTimeout(timer)
    following.timer = undefined
    following.items = []
    if (items.length === 0) return
    const mail = log.user === undefined ? {} : { mail: true }
    const textFor = (told: readonly Item<F>[]): string =>
      JSON.stringify({ t: 'logged', epoch, of: told.map(({ offset, id }) => ({ offset, id })), ...mail })
    const writers = new Set(items.map(({ by }) => by))
    const everything = textFor(items)
    for (const follower of this.#present(following)) {
      if (!writers.has(follower)) {
        follower.control(everything)
        continue
      }
      const others = items.filter(({ by }) => by !== follower)
      if (others.length > 0) follower.control(textFor(others))
    }
  }
}
