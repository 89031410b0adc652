import type { Clock, Timer } from '../clock.ts'

export interface TurnMember {
  /** The turn is over: write what was gathered in it. */
  turnEnded(): void
}

/** Runs something once the I/O events at hand are handled: `setImmediate`. */
export type AfterTurn = (run: () => void) => void

/** Load is measured over at least this long, since the clock's step is 1 ms. */
const MEASURE_MS = 16
/** So many frames must meet, for one receiver, within the time they are gathered for; fewer would wait for nothing. */
const LEAST_MEETING = 2

/**
 * Turns of the event loop, in which small frames for one receiver are gathered: the first goes at once, the others in
 * one write when the turn is over. A server at its limit has long turns, and so gathers by itself; between idle and
 * that, when more than `gatherAbovePerMs` deliveries are made each ms and so many of them to the same receivers that
 * frames would meet, a turn is drawn out to `gatherMs`.
 */
export class Turns {
  /** The turn's number. */
  current = 0
  /** When the last message came, as far as no end was awaited. */
  #cameMs = 0
  readonly #clock: Clock
  readonly #afterTurn: AfterTurn
  readonly #gatherMs: number
  readonly #gatherAbovePerMs: number
  #waiting: TurnMember[] = []
  #ending = false
  #timer: Timer | undefined
  #loaded = false
  /** The stretch over which load is being measured. */
  stretch = 0
  #deliveries = 0
  /** Who got anything in this stretch. */
  #receivers = 0
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

  /**
   * So many were delivered without anything of it waiting for the end of the turn, to so many who got nothing else yet
   * in this stretch.
   */
  passed(deliveries: number, receivers: number): void {
    this.#deliveries += deliveries
    this.#receivers += receivers
    if (this.#loaded) this.#endLater()
  }

  /**
   * A message came. To end a turn costs a lap of the event loop; one in which nothing is gathered is just over when the
   * clock has moved on. Load is measured then, too.
   */
  came(nowMs: number): void {
    if (this.#ending || nowMs === this.#cameMs) return
    this.#cameMs = nowMs
    this.current += 1
    this.#measure(nowMs)
  }

  /** A frame was delivered to one who got nothing else yet in this stretch. */
  delivered(first: boolean): void {
    this.passed(1, first ? 1 : 0)
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
    this.#endLater()
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
    this.#measure(this.#clock.nowMs())
    const waiting = this.#waiting
    if (waiting.length > 0) this.#waiting = []
    for (const member of waiting) member.turnEnded()
    // Until it no longer is, which the next message may be long in showing.
    if (this.#loaded) this.#endLater()
  }

  #measure(nowMs: number): void {
    const elapsedMs = nowMs - this.#measuredFromMs
    if (elapsedMs >= 0 && elapsedMs < MEASURE_MS) return
    const each = (this.#deliveries / Math.max(1, this.#receivers) / elapsedMs) * this.#gatherMs
    this.#loaded = elapsedMs > 0 && this.#deliveries >= this.#gatherAbovePerMs * elapsedMs && each >= LEAST_MEETING
    this.#deliveries = 0
    this.#receivers = 0
    this.stretch += 1
    this.#measuredFromMs = nowMs
  }
}
