import type { Clock, Timer } from '../clock.ts'

/** How many times within `slowReaderMs` a blocked uplink is looked at: detection is late by a quarter at most. */
const LOOKS = 4

export interface StallWatchDependencies {
  readonly clock: Clock
  readonly slowReaderMs: number
  readonly uplink: { queuedBytes(): number }
  /** Whether the uplink still has something to drain. */
  blocked(): boolean
  /** Something drained since the last look. */
  progressed(): void
  stalled(): void
}

/**
 * Notices an uplink of which nothing drains. Counts its own looks, not the wall clock, so that a clock set forward
 * kills nobody. The timer is left running over short blocks: a busy receiver blocks hundreds of times a second.
 */
export class StallWatch {
  readonly #dependencies: StallWatchDependencies
  #timer: Timer | undefined
  #queuedBytes = 0
  #idleLooks = 0
  readonly #look = (): void => this.#lookAgain()

  constructor(dependencies: StallWatchDependencies) {
    this.#dependencies = dependencies
  }

  /** The uplink has just become blocked. */
  start(): void {
    this.#queuedBytes = this.#dependencies.uplink.queuedBytes()
    if (this.#timer === undefined) {
      this.#idleLooks = 0
      this.#arm()
    } else {
      // The running look comes too early to count.
      this.#idleLooks = -1
    }
  }

  stop(): void {
    if (this.#timer !== undefined) this.#dependencies.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    const { clock, slowReaderMs } = this.#dependencies
    this.#timer = clock.setTimeout(this.#look, slowReaderMs / LOOKS)
  }

  #lookAgain(): void {
    const { blocked, uplink, progressed, stalled } = this.#dependencies
    this.#timer = undefined
    if (!blocked()) return
    const queuedBytes = uplink.queuedBytes()
    const moved = queuedBytes < this.#queuedBytes
    this.#idleLooks = moved ? 0 : this.#idleLooks + 1
    this.#queuedBytes = queuedBytes
    if (this.#idleLooks >= LOOKS) {
      stalled()
      return
    }
    this.#arm()
    if (moved) progressed()
  }
}
