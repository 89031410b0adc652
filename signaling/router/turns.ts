import type { Clock, Timer } from '../clock.ts'

export interface TurnMember {
  /** The turn is over: write what was gathered in it. */
  turnEnded(): void
}

/** Runs something once the I/O events at hand are handled: `setImmediate`. */
export type AfterTurn = (run: () => void) => void

/** Load is measured over at least this long, since the clock's step is 1 ms. */
const MEASURE_MS = 16

/**
 * Turns of the event loop, in which small frames for one receiver are gathered: the first goes at once, the others in
 * one write when the turn is over. A server at its limit has long turns, and so gathers by itself; between idle and
 * that, when more than `gatherAbovePerMs` deliveries are made each ms, a turn is drawn out to `gatherMs`.
 */
export class Turns {
  /** The turn's number. */
  current = 0
  readonly #clock: Clock
  readonly #afterTurn: AfterTurn
  readonly #gatherMs: number
  readonly #gatherAbovePerMs: number
  #waiting: TurnMember[] = []
  #ending = false
  #timer: Timer | undefined
  #loaded = false
  #deliveries = 0
  #measuredFromMs: number
  readonly #end = (): void => this.#endTurn()

  constructor(
    clock: Clock,
    afterTurn: AfterTurn,
    settings: { readonly gatherMs: number; readonly gatherAbovePerMs: number },
  ) {
    this.#clock = clock
    this.#afterTurn = afterTurn
    this.#gatherMs = settings.gatherMs
    this.#gatherAbovePerMs = settings.gatherAbovePerMs
    this.#measuredFromMs = clock.nowMs()
  }

  /** Whether turns are drawn out at the moment. */
  get loaded(): boolean {
    return this.#loaded
  }

  /** Nothing is being gathered: what is written now overtakes nothing. */
  get quiet(): boolean {
    return !this.#loaded && this.#waiting.length === 0
  }

  /** So many were delivered without anything of it waiting for the end of the turn. */
  passed(deliveries: number): void {
    this.#deliveries += deliveries
    // What is measured now and then must not be forgotten; a turn costs a lap of the event loop.
    if (this.#deliveries > this.#gatherAbovePerMs * MEASURE_MS) this.#endLater()
  }

  /** A frame was delivered, or gathered for delivery. Sees to it that this turn ends. */
  delivered(): void {
    this.#deliveries += 1
    this.#endLater()
  }

  #endLater(): void {
    if (this.#ending) return
    this.#ending = true
    if (this.#loaded) this.#timer = this.#clock.setTimeout(this.#end, this.#gatherMs)
    else this.#afterTurn(this.#end)
  }

  /** Call `member` once when this turn ends. */
  add(member: TurnMember): void {
    this.#waiting.push(member)
  }

  /** For shutdown: no timer stays. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting = []
  }

  #endTurn(): void {
    this.#ending = false
    this.#timer = undefined
    this.current += 1
    this.#measure()
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const member of waiting) member.turnEnded()
  }

  #measure(): void {
    const elapsedMs = this.#clock.nowMs() - this.#measuredFromMs
    if (elapsedMs >= 0 && elapsedMs < MEASURE_MS) return
    this.#loaded = this.#deliveries >= this.#gatherAbovePerMs * elapsedMs && elapsedMs > 0
    this.#deliveries = 0
    this.#measuredFromMs = this.#clock.nowMs()
  }
}
