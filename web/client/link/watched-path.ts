/**
 * A peer connection under watch: whether to trust it is decided by pings of our own, since ICE needs 5 to 30 s to
 * notice that a path is dead.
 *
 *   probing     open, no ping answered yet                       → usable when one is
 *   usable      frames take it                                   → suspect when a frame or a ping is overdue
 *   suspect     frames still take it, a ping is under way        → usable when it is answered, suspended when it is overdue
 *   suspended   frames do not take it; pings go on               → usable when one is answered, given up after a while
 */
import { encodePing, type Lane } from '../../../signaling/protocol/index.ts'
import type { Outlet, OutletLane } from '../delivery/outlet.ts'
import { RoundTrip } from '../delivery/round-trip.ts'
import type { DirectPath } from '../paths/path.ts'

export type Trust = 'probing' | 'usable' | 'suspect' | 'suspended'

/** Keeps round-trip time fresh, and notices the death of an idle path within some seconds. 5 bytes a ping. */
const KEEP_ALIVE_MS = 3_000
/** An answer so much quicker than the estimate shows that a load has passed: ask again soon, until it has followed. */
const MUCH_QUICKER = 0.7
/** While there is no answer. */
const PROBE_MS = 250
/** A ping is overdue after this at the earliest: moving everything for a pause of the other main thread is costly. */
const LEAST_PATIENCE_MS = 250
/** The same of one beside: nothing but bulk is at stake, and a loss may keep an association busy for a second or two. */
const LEAST_PATIENCE_BESIDE_MS = 2_000
/** A suspended path is given up after this; a fresh peer connection is quicker than waiting for its SCTP to wake up. */
const GIVE_UP_MS = 5_000
/** A path that failed is held back this long when it returns; doubles with each failure, forgotten after a good while. */
const HOLD_BACK_MS = 500
const HOLD_BACK_MOST_MS = 8_000
const GOOD_AFTER_MS = 30_000
const MOST_PINGS = 32

export class WatchedPath implements Outlet {
  readonly roundTrip = new RoundTrip()
  #trust: Trust = 'probing'
  #sinceMs: number
  #pingAtMs: number
  #nonce = 0
  readonly #pings = new Map<number, number>()
  #failures = 0
  #retired = false
  heldBackUntilMs = Number.NEGATIVE_INFINITY

  constructor(
    readonly path: DirectPath,
    readonly tag: number,
    nowMs: number,
    /** It carries bulk beside the path in use, and is never that path. */
    readonly beside = false,
  ) {
    this.#sinceMs = nowMs
    this.#pingAtMs = nowMs
  }

  get kind(): 'direct' | 'turn' {
    return this.path.kind
  }

  /** SCTP has a congestion window of its own. */
  get windowBytes(): number {
    return Number.POSITIVE_INFINITY
  }

  get trust(): Trust {
    return this.#trust
  }

  get usable(): boolean {
    return !this.#retired && (this.#trust === 'usable' || this.#trust === 'suspect')
  }

  /** Another has taken its place: it only receives from now on. */
  readonly retire = (): void => {
    this.#retired = true
  }

  get rttMs(): number | undefined {
    return this.roundTrip.smoothedMs
  }

  send(lane: OutletLane, frame: Uint8Array): boolean {
    return this.path.send(lane, frame)
  }

  writtenBytes(lane: Lane): number {
    return this.path.writtenBytes(lane)
  }

  leftBytes(lane: Lane): number {
    return this.path.writtenBytes(lane) - this.path.bufferedBytes(lane)
  }

  get #patienceMs(): number {
    return Math.max(this.beside ? LEAST_PATIENCE_BESIDE_MS : LEAST_PATIENCE_MS, this.roundTrip.timeoutMs(0))
  }

  #become(trust: Trust, nowMs: number): void {
    if (trust === this.#trust) return
    this.#trust = trust
    this.#sinceMs = nowMs
  }

  /** Something sent on it is overdue. */
  suspect(nowMs: number): void {
    if (this.#trust !== 'usable') return
    this.#become('suspect', nowMs)
    this.#pings.clear()
    this.#pingAtMs = nowMs
  }

  answered(nonce: number, nowMs: number): void {
    const sentAtMs = this.#pings.get(nonce)
    if (sentAtMs === undefined) return
    for (const earlier of [...this.#pings.keys()]) if (earlier <= nonce) this.#pings.delete(earlier)
    const quicker = nowMs - sentAtMs < (this.rttMs ?? 0) * MUCH_QUICKER
    this.roundTrip.sample(nowMs - sentAtMs)
    if (this.#trust === 'suspended') {
      this.heldBackUntilMs = nowMs + Math.min(HOLD_BACK_MOST_MS, HOLD_BACK_MS * 2 ** (this.#failures - 1))
    }
    if (this.#trust === 'usable' && nowMs - this.#sinceMs > GOOD_AFTER_MS) this.#failures = 0
    this.#become('usable', nowMs)
    this.#pingAtMs = nowMs + (quicker ? PROBE_MS : KEEP_ALIVE_MS)
  }

  /** Act on what is due. `given-up`: close it. `next`: when to call again, ms on the clock. */
  check(nowMs: number): { readonly verdict: 'ok' | 'given-up'; readonly nextMs: number } {
    const oldestMs = this.#pings.values().next().value
    const overdueMs = oldestMs === undefined ? Number.POSITIVE_INFINITY : oldestMs + this.#patienceMs
    if (nowMs >= overdueMs) {
      if (this.#trust === 'usable') {
        this.suspect(nowMs)
      } else if (this.#trust === 'suspect') {
        this.#failures += 1
        this.#become('suspended', nowMs)
      }
    }
    if (this.#trust === 'suspended' && nowMs - this.#sinceMs >= GIVE_UP_MS)
      return { verdict: 'given-up', nextMs: nowMs }
    if (nowMs >= this.#pingAtMs) this.#ping(nowMs)
    const waitMs =
      this.#trust === 'suspended' || this.#trust === 'probing'
        ? Number.POSITIVE_INFINITY
        : (this.#pings.values().next().value ?? Number.POSITIVE_INFINITY) + this.#patienceMs
    return { verdict: 'ok', nextMs: Math.min(this.#pingAtMs, Math.max(waitMs, nowMs + 1)) }
  }

  #ping(nowMs: number): void {
    this.#nonce = (this.#nonce + 1) >>> 0
    if (this.#pings.size >= MOST_PINGS) this.#pings.clear()
    this.#pings.set(this.#nonce, nowMs)
    this.path.send('control', encodePing(this.#nonce, false))
    this.#pingAtMs = nowMs + (this.#trust === 'usable' ? KEEP_ALIVE_MS : PROBE_MS)
  }
}
