/** Full jitter from 0 to this, doubling: the first retry is nearly at once, and thousands of clients spread out. */
const BACK_OFF_MS = 250
const LONGEST_BACK_OFF_MS = 10_000
/** Online for this long, a carrier counts as good, and back-off starts anew. */
export const GOOD_AFTER_MS = 2_000
/**
 * After a good spell back-off stays short: at first, because a server that restarts is back within seconds, and until
 * the grace period is over, because a cable is plugged in again. 5,000 members ask a server that is back within 0.5 s.
 */
const BRISK_FOR_MS = 5_000
const BRISK_BACK_OFF_MS = 500
const GRACE_BACK_OFF_MS = 2_000
/**
 * A reconnection's opening is four round trips with TLS. A new one is tried sooner than TCP says its lost SYN again, after
 * 1, 3 and 7 s; doubled with every third that fails, since the network may be a slower one than before.
 */
const LEAST_OPENING_MS = 400
const OPENING_ROUND_TRIPS = 6

/** How long to wait before the next carrier, and with it. */
export class BackOff {
  #failures = 0
  /** When a carrier that was good ended, and when the session may be over. */
  #lostAtMs = Number.NEGATIVE_INFINITY
  #graceEndsMs = Number.NEGATIVE_INFINITY

  constructor(private readonly random: () => number) {}

  /**
   * A carrier ended that had been online for so long; true when that was a good spell. Back-off starts anew after one, and
   * after the first carrier of all, however short: only a server that goes on ending them is left alone for longer.
   */
  lost(nowMs: number, onlineMs: number, graceMs: number): boolean {
    const good = onlineMs >= GOOD_AFTER_MS
    if (good || this.#failures === 0) {
      this.#failures = 0
      this.#lostAtMs = nowMs
      this.#graceEndsMs = nowMs + graceMs
    }
    return good
  }

  /** ms until the next try. */
  nextMs(nowMs: number): number {
    const mostMs =
      nowMs - this.#lostAtMs < BRISK_FOR_MS
        ? BRISK_BACK_OFF_MS
        : nowMs < this.#graceEndsMs
          ? GRACE_BACK_OFF_MS
          : LONGEST_BACK_OFF_MS
    const delayMs = this.random() * Math.min(mostMs, BACK_OFF_MS * 2 ** this.#failures)
    this.#failures += 1
    return delayMs
  }
}

/** How long a carrier may take to open on a network whose round trip is known, after `unopened` in a row that did not. */
export const openingPatienceMs = (rttMs: number, unopened: number): number =>
  Math.max(LEAST_OPENING_MS, OPENING_ROUND_TRIPS * rttMs) * 2 ** Math.floor(unopened / 3)
