import type { Clock, TimerHandle } from '../clock.ts'

/** Notices death within 11 s without a hint, costs 20 bytes/s; NATs and proxies cut silence after 30 s at the earliest. */
const INTERVAL_MS = 5_000
/** The first ping, which measures what opening a carrier only guesses: after the first frames, and soon. */
const FIRST_MS = 100
/** A pong behind a full socket on a slow uplink takes some seconds; see also `#due`. */
const PATIENCE_MS = 6_000
/** A probe's patience is 4 round trips, and at least this: a lost packet on TCP costs 200 ms to 1 s. */
const PROBE_MS = 1_000
/** A carrier is in doubt when a probe is not answered within 3 round trips, and at least this. */
const DOUBT_MS = 300
/** However alive it looks, a carrier that leaves a ping unanswered for this long is no use. */
const LONGEST_MS = 20_000
/** A timer this late was not slow: the page was frozen, or throttled. */
const FROZEN_MS = 1_000

export interface HeartbeatDependencies {
  readonly clock: Clock
  ping(n: number, rttMs: number | undefined): void
  bufferedBytes(): number
  /** A round trip was measured, in which the server's clock said `serverMs`. */
  sample(serverMs: number, rttMs: number): void
  /** No quick answer to a probe: another carrier may be better. */
  suspect(): void
  /** No answer: this carrier is not to be trusted any more. */
  dead(): void
}

interface Ping {
  readonly n: number
  readonly sentAtMs: number
  /** The first ping that nothing has answered since. */
  readonly first: { readonly n: number; readonly sentAtMs: number }
  readonly patienceMs: number
  /** Somebody suspects the path. */
  readonly probe: boolean
  doubted: boolean
  /** Sent because the ping before it went unanswered while the page was frozen. */
  readonly second: boolean
  /** Something came since. */
  heard: boolean
  bufferedBytes: number
}

/** Pings while online: measures the round trip, and finds carriers that died without saying so. */
export class Heartbeat {
  /** Smoothed as TCP does: an eighth of each new sample. Kept from one carrier to the next. */
  rttMs: number | undefined
  readonly #dependencies: HeartbeatDependencies
  /** `rttMs` is not measured yet. */
  #guessed = true
  #latest = 0
  #ping: Ping | undefined
  #timer: TimerHandle | undefined
  #dueMs = 0

  constructor(dependencies: HeartbeatDependencies) {
    this.#dependencies = dependencies
  }

  /** `openingMs`: from the start of the carrier until the welcome. That is two round trips at least: TCP's and its own. */
  start(serverMs: number, openingMs: number): void {
    this.rttMs ??= openingMs / 2
    this.#dependencies.sample(serverMs, openingMs / 2)
    this.#arm(FIRST_MS)
  }

  stop(): void {
    this.#ping = undefined
    if (this.#timer !== undefined) this.#dependencies.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Ask now and be quick about it: somebody suspects the path. */
  probe(): void {
    if (this.#timer === undefined) return
    const patienceMs = Math.max(DOUBT_MS, 3 * (this.rttMs ?? 0))
    if (this.#ping?.probe === true) return
    this.#send(patienceMs, false, true, this.#ping?.first)
  }

  /** Anything came in. */
  heard(): void {
    if (this.#ping !== undefined) this.#ping.heard = true
  }

  pong(n: number, serverMs: number): void {
    const ping = this.#ping
    if (ping === undefined || n < ping.first.n || n > ping.n) return
    this.#ping = undefined
    if (n === ping.n) this.#measured(serverMs, this.#dependencies.clock.now() - ping.sentAtMs)
    this.#arm(INTERVAL_MS)
  }

  get #probeMs(): number {
    return Math.max(PROBE_MS, 4 * (this.rttMs ?? 0))
  }

  #measured(serverMs: number, rttMs: number): void {
    this.rttMs = this.rttMs === undefined || this.#guessed ? rttMs : this.rttMs + (rttMs - this.rttMs) / 8
    this.#guessed = false
    this.#dependencies.sample(serverMs, rttMs)
  }

  #send(patienceMs: number, second: boolean, probe = false, first?: Ping['first']): void {
    const { clock, ping, bufferedBytes } = this.#dependencies
    this.#latest = (this.#latest + 1) >>> 0
    const sent = { n: this.#latest, sentAtMs: clock.now() }
    this.#ping = {
      ...sent,
      first: first ?? sent,
      patienceMs,
      probe,
      doubted: false,
      second,
      heard: false,
      bufferedBytes: bufferedBytes(),
    }
    this.#arm(patienceMs)
    ping(this.#latest, this.rttMs)
  }

  #arm(delayMs: number): void {
    const { clock } = this.#dependencies
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#dueMs = clock.now() + delayMs
    this.#timer = clock.setTimeout(() => this.#due(), delayMs)
  }

  #due(): void {
    const { clock, bufferedBytes, suspect, dead } = this.#dependencies
    const ping = this.#ping
    if (ping === undefined) {
      this.#send(PATIENCE_MS, false)
      return
    }
    const now = clock.now()
    const buffered = bufferedBytes()
    // The pong may stand behind frames, here or there, that are still moving.
    if ((ping.heard || buffered < ping.bufferedBytes) && now - ping.first.sentAtMs < LONGEST_MS) {
      const patienceMs = ping.doubted ? this.#probeMs : ping.patienceMs
      ping.heard = false
      ping.bufferedBytes = buffered
      // Or it is lost, and nothing else was.
      if (now - ping.sentAtMs >= PATIENCE_MS) this.#send(patienceMs, false, ping.probe, ping.first)
      else this.#arm(patienceMs)
    } else if (now - this.#dueMs > FROZEN_MS && !ping.second) {
      // The pong may have come while nothing here ran, and wait behind this very timer.
      this.#send(this.#probeMs, true)
    } else if (ping.probe && !ping.doubted) {
      ping.doubted = true
      this.#arm(Math.max(PROBE_MS - DOUBT_MS, this.rttMs ?? 0))
      suspect()
    } else {
      this.stop()
      dead()
    }
  }
}
