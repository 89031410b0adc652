/**
 * What the attempts of one link have come to so far, and what follows for the next: when it is due, how long it gets, and
 * whether it gathers with TURN. It reads the clock and sets no timer; which attempt is under way, `Attempts` knows.
 */
import type { Clock } from '../clock.ts'
import { type AttemptTimes, backOffMs } from './attempt-times.ts'
import { type PathPolicy, throughTurnOnly } from './ice-servers.ts'
import type { DirectKind } from './path.ts'

export interface AttemptPaceOptions {
  readonly clock: Clock
  /** 0 ≤ value < 1. */
  readonly random: () => number
  readonly policy: PathPolicy
}

export class AttemptPace {
  readonly #options: AttemptPaceOptions
  readonly #times: AttemptTimes
  readonly #turnOnly: boolean
  /** The next attempt gathers with TURN. */
  withTurn: boolean
  #failures = 0
  /** When the path in use was lost, or began to be in doubt. */
  #lostAtMs = Number.NEGATIVE_INFINITY
  /** When the path in use became usable. */
  #usableAtMs = Number.NEGATIVE_INFINITY
  /** Attempts at a direct path beside the one through TURN, in this network. */
  #seeks = 0
  /** The other side goes through TURN by its own choice. */
  #seeksInVain = false
  #begunAtMs = Number.NEGATIVE_INFINITY
  /** From the beginning of the last attempt that came to something to its usable path. */
  #tookMs = 0

  constructor(options: AttemptPaceOptions, times: AttemptTimes) {
    const { policy } = options
    this.#options = options
    this.#times = times
    this.#turnOnly = throughTurnOnly(policy)
    this.withTurn = this.#turnOnly && policy.turn
  }

  /** How long another is still too soon; not after 0. */
  get tooSoonMs(): number {
    return this.#begunAtMs + this.#times.spacingMs - this.#nowMs
  }

  begun(): void {
    this.#begunAtMs = this.#nowMs
  }

  /** Of what the plan gives it, as much as the one under way gets. */
  openWithinMs(plannedMs: number): number {
    if (!this.#lostLately) return plannedMs
    const sinceMs = this.#nowMs - this.#lostAtMs
    return Math.min(plannedMs, Math.max(this.#times.eagerConnectMs, 2 * this.#tookMs, sinceMs / 8))
  }

  /** It came to a path of this kind; `turn`: we had gathered with TURN. */
  usable(kind: DirectKind, turn: boolean): void {
    const { policy } = this.#options
    this.#usableAtMs = this.#nowMs
    this.#tookMs = this.#usableAtMs - this.#begunAtMs
    if (kind === 'direct') this.#seeks = 0
    this.#seeksInVain = kind === 'turn' && !turn
    // A pair that needed TURN will need it again, unless the network changes.
    this.withTurn = policy.turn && (this.#turnOnly || kind === 'turn')
  }

  /** It came to nothing. */
  failed(): void {
    if (this.#options.policy.turn) this.withTurn = true
  }

  /** The path in use does not answer. */
  doubted(): void {
    this.#lostAtMs = this.#nowMs
  }

  /** The path in use is gone. */
  lost(): void {
    this.doubted()
    if (this.#lostAtMs - this.#usableAtMs >= this.#times.steadyMs) this.#failures = 0
  }

  /** Until the next one. What fails soon after a path was lost is tried again `eagerly`, and does not count. */
  retryMs(eagerly = this.#lostLately): number {
    const delayMs = backOffMs(eagerly ? 0 : this.#failures, this.#options.random, this.#times)
    if (!eagerly) this.#failures += 1
    return delayMs
  }

  /** Until a direct path is looked for beside the one through TURN. `undefined`: there is none to be found. */
  get seekMs(): number | undefined {
    if (this.#turnOnly || this.#seeksInVain) return undefined
    const { shortestBackOffMs, seekDirectMs, longestSeekDirectMs } = this.#times
    return this.#lostLately
      ? shortestBackOffMs
      : Math.min(longestSeekDirectMs, seekDirectMs * 2 ** Math.min(this.#seeks, 30))
  }

  /** The next one looks for a direct path. */
  seek(): void {
    if (!this.#lostLately) this.#seeks += 1
    this.withTurn = false
  }

  /** The network is another: what failed may work. */
  startOver(): void {
    this.#failures = 0
    this.#seeks = 0
    this.withTurn = this.#turnOnly && this.#options.policy.turn
  }

  get #lostLately(): boolean {
    return this.#nowMs - this.#lostAtMs < this.#times.eagerMs
  }

  get #nowMs(): number {
    return this.#options.clock.now()
  }
}
