import type { Clock, Timer } from '../clock.ts'

/** Enough for a renewal by a backend that is slow today, and its repeat. */
const WARNING_MS = 30_000
/** Timers take no more, some 24 days; longer terms are waited for in parts. */
const LONGEST_TIMER_MS = 2_147_483_647

export interface TermOwner {
  /** It ends in `inMs`. */
  expiring(inMs: number): void
  expired(): void
}

/** How long an access token is good for one uplink: its bearer is told before the end, and at the end. */
export class Term {
  readonly #clock: Clock
  readonly #owner: TermOwner
  #timer: Timer | undefined

  constructor(clock: Clock, owner: TermOwner) {
    this.#clock = clock
    this.#owner = owner
  }

  /** From now on this is the end; undefined is none. */
  set(endsAtMs: number | undefined): void {
    this.stop()
    if (endsAtMs === undefined) return
    const leftMs = endsAtMs - this.#clock.nowMs()
    this.#wait(endsAtMs - Math.min(WARNING_MS, leftMs / 2), () => {
      this.#owner.expiring(Math.max(0, endsAtMs - this.#clock.nowMs()))
      this.#wait(endsAtMs, () => this.#owner.expired())
    })
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(untilMs: number, act: () => void): void {
    const leftMs = untilMs - this.#clock.nowMs()
    const longer = leftMs > LONGEST_TIMER_MS
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined
        if (longer) this.#wait(untilMs, act)
        else act()
      },
      Math.max(0, Math.min(leftMs, LONGEST_TIMER_MS)),
    )
  }
}
