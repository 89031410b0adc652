/**
 * A token bucket that may be overdrawn once: what comes while it holds anything passes whole, however large, and the
 * debt is paid before the next. So a message larger than the burst is slow, never stuck.
 */
class Bucket {
  readonly #perMs: number
  readonly #burst: number
  #level: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perMs = perSecond / 1_000
    this.#burst = perSecond * 2
    this.#level = this.#burst
    this.#atMs = nowMs
  }

  level(nowMs: number): number {
    // A clock set back gives nothing and takes nothing.
    if (nowMs > this.#atMs) this.#level = Math.min(this.#burst, this.#level + (nowMs - this.#atMs) * this.#perMs)
    this.#atMs = nowMs
    return this.#level
  }

  spend(amount: number): void {
    this.#level -= amount
  }

  /** Until something may pass again. */
  waitMs(nowMs: number): number {
    const level = this.level(nowMs)
    return level > 0 ? 0 : -level / this.#perMs
  }
}

/** What one member may send: messages and bytes per second, twice that in a burst. Outlives its uplinks. */
export class Rate {
  readonly #messages: Bucket
  readonly #bytes: Bucket

  constructor(messagesPerSecond: number, bytesPerSecond: number, nowMs: number) {
    this.#messages = new Bucket(messagesPerSecond, nowMs)
    this.#bytes = new Bucket(bytesPerSecond, nowMs)
  }

  /** Whether a message of `size` bytes may pass now; if so, it is counted. */
  take(size: number, nowMs: number): boolean {
    if (this.#messages.level(nowMs) <= 0 || this.#bytes.level(nowMs) <= 0) return false
    this.#messages.spend(1)
    this.#bytes.spend(size)
    return true
  }

  /** Count bytes that a request made us send: an answer larger than its question is paid by who asked. */
  charge(size: number): void {
    this.#bytes.spend(size)
  }

  waitMs(nowMs: number): number {
    return Math.max(this.#messages.waitMs(nowMs), this.#bytes.waitMs(nowMs))
  }
}
