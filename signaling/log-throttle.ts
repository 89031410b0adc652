/** Lines of one kind within the time below. */
const BURST_LINES = 20
const BURST_MS = 10_000

/** How many entries of this kind were left out before this one; nothing when none was. */
export interface Unsaid {
  readonly unsaid?: number
}

/**
 * Lets 20 entries of one kind pass in 10 s and counts the others, for what anyone on the internet can cause: a log that
 * is written as fast as strangers ask fills disks, and writing it holds everyone up.
 */
export class LogThrottle {
  readonly #nowMs: () => number
  #burstStartMs = Number.NEGATIVE_INFINITY
  #lines = 0
  #unsaid = 0

  /** `nowMs` may begin anywhere. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Calls `say` when the entry may pass. */
  tell(say: (unsaid: Unsaid) => void): void {
    const nowMs = this.#nowMs()
    if (nowMs - this.#burstStartMs >= BURST_MS) {
      this.#burstStartMs = nowMs
      this.#lines = 0
    }
    this.#lines += 1
    if (this.#lines > BURST_LINES) {
      this.#unsaid += 1
      return
    }
    const unsaid = this.#unsaid
    this.#unsaid = 0
    say(unsaid === 0 ? {} : { unsaid })
  }
}
