import type { AddressWork } from './address-work.ts'

export interface RateLimits {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  readonly deliveriesPerSecond: number
}

/** A burst is what may be sent in this many seconds. */
const BURST_S = 2

/**
 * What one member may send: token buckets of messages, of bytes, of deliveries, and of its part of the deliveries of its
 * address, which counts while the address is over its own. Outlives its uplinks.
 *
 * A bucket may be overdrawn once: what comes while it holds anything passes whole, however large, and the debt is paid
 * before the next. So a message larger than the burst is slow, never stuck.
 */
export class Rate {
  #limits: RateLimits
  #messages: number
  #bytes: number
  #deliveries: number
  #atMs: number
  #shared: AddressWork | undefined
  /** What is left of its part of `#shared`. */
  #part = 0

  constructor(limits: RateLimits, nowMs: number) {
    this.#limits = limits
    this.#messages = limits.messagesPerSecond * BURST_S
    this.#bytes = limits.bytesPerSecond * BURST_S
    this.#deliveries = limits.deliveriesPerSecond * BURST_S
    this.#atMs = nowMs
  }

  /** From now on. Told to the client at the same time, who keeps to what it was told. */
  useLimits(limits: RateLimits): void {
    this.#limits = limits
  }

  /**
   * From now on its deliveries count for its address, too, as those of one who has used all that it could: whoever leaves
   * and comes anew must gain nothing.
   */
  share(work: AddressWork): void {
    this.#shared = work
    this.#part = -BURST_S * this.#limits.deliveriesPerSecond
  }

  /** Whether a message of `size` bytes may pass now; if so, it is counted. */
  take(size: number, nowMs: number): boolean {
    this.#refill(nowMs)
    if (this.#messages <= 0 || this.#bytes <= 0 || this.#deliveries <= 0) return false
    if (this.#sharedWaitMs(nowMs) > 0) return false
    this.#messages -= 1
    this.#bytes -= size
    return true
  }

  /**
   * Count bytes that a request made us send: an answer larger than its question is paid by who asked. The debt that
   * comes of it is at most a burst: who waits longer for the answer to a ping takes the uplink for dead.
   */
  charge(size: number): void {
    const most = -BURST_S * this.#limits.bytesPerSecond
    this.#bytes = Math.max(this.#bytes - size, Math.min(this.#bytes, most))
  }

  /** Count the work that a message of frames made. The debt is at most a burst, as in `charge`. */
  delivered(deliveries: number): void {
    const most = -BURST_S * this.#limits.deliveriesPerSecond
    this.#deliveries = Math.max(this.#deliveries - deliveries, Math.min(this.#deliveries, most))
    this.#part = Math.max(this.#part - deliveries, Math.min(this.#part, most))
    this.#shared?.spend(deliveries)
  }

  /** Until something may pass again. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs)
    const { messagesPerSecond, bytesPerSecond, deliveriesPerSecond } = this.#limits
    const waitS = Math.max(
      -this.#messages / messagesPerSecond,
      -this.#bytes / bytesPerSecond,
      -this.#deliveries / deliveriesPerSecond,
    )
    return Math.max(0, 1_000 * waitS, this.#sharedWaitMs(nowMs))
  }

  /** For what the address has used, unless this member has used less than its part of it. */
  #sharedWaitMs(nowMs: number): number {
    if (this.#shared === undefined) return 0
    // Asked in any case: it is filled by that.
    const waitMs = this.#shared.waitMs(nowMs)
    return this.#part > 0 ? 0 : Math.min(waitMs, Math.max(1, (-1_000 * this.#part) / this.#shared.part))
  }

  #refill(nowMs: number): void {
    // A clock set back gives nothing and takes nothing.
    if (nowMs === this.#atMs) return
    const elapsedS = (nowMs - this.#atMs) / 1_000
    this.#atMs = nowMs
    if (elapsedS <= 0) return
    const { messagesPerSecond, bytesPerSecond, deliveriesPerSecond } = this.#limits
    this.#messages = Math.min(messagesPerSecond * BURST_S, this.#messages + elapsedS * messagesPerSecond)
    this.#bytes = Math.min(bytesPerSecond * BURST_S, this.#bytes + elapsedS * bytesPerSecond)
    this.#deliveries = Math.min(deliveriesPerSecond * BURST_S, this.#deliveries + elapsedS * deliveriesPerSecond)
    if (this.#shared === undefined) return
    const { part } = this.#shared
    this.#part = Math.min(part * BURST_S, this.#part + elapsedS * part)
  }
}
