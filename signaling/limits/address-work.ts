/**
 * What all members of one address may make the server do together, in times of what one may: a third of a core. Packed
 * empty frames cost a member next to nothing, so without this a dozen of them by one line take the whole server. People
 * behind one line send far less: their messages cost the server more for each delivery, and it would be full before.
 */
const MEMBERS_WORTH = 4
/** As each member's own. */
const BURST_S = 2

/**
 * Deliveries of all members of one address: a bucket that may be overdrawn once, as those of `Rate`. While it is, those
 * members go on that have used less than their part.
 */
export class AddressWork {
  readonly #perSecond: number
  readonly #members: () => number
  #left: number
  #atMs: number

  /** `deliveriesPerSecond`: of one member. `members`: how many there are of the address, asked each time. */
  constructor(deliveriesPerSecond: number, members: () => number, nowMs: number) {
    this.#perSecond = deliveriesPerSecond * MEMBERS_WORTH
    this.#members = members
    this.#left = this.#perSecond * BURST_S
    this.#atMs = nowMs
  }

  /** Deliveries per second of each member, if all use as much. */
  get part(): number {
    return this.#perSecond / Math.max(1, this.#members())
  }

  /** The debt is at most a burst. */
  spend(deliveries: number): void {
    this.#left = Math.max(this.#left - deliveries, -this.#perSecond * BURST_S)
  }

  /** Until something is left. */
  waitMs(nowMs: number): number {
    // A clock set back gives nothing and takes nothing.
    const elapsedS = Math.max(0, nowMs - this.#atMs) / 1_000
    this.#atMs = nowMs
    this.#left = Math.min(this.#perSecond * BURST_S, this.#left + elapsedS * this.#perSecond)
    return this.#left > 0 ? 0 : Math.max(1, (-1_000 * this.#left) / this.#perSecond)
  }
}
