import type { Clock, TimerHandle } from '../clock.ts'

/**
 * Rung later than this, the page was busy, and what it waited for may have come meanwhile and stand behind the timer:
 * one turn more, and nobody is suspected for our own pause.
 */
const LATE_MS = 50

/**
 * One timer for everything that is due: asked for ever earlier times, it rings at the earliest, once. Setting it to a
 * later time costs a comparison, so it can be set for every frame.
 */
export class Alarm {
  #timer: TimerHandle | undefined
  #atMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  /** Ring at `atMs`, or before. Infinity: never mind. */
  by(atMs: number): void {
    if (atMs >= this.#atMs || this.#stopped) return
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
    this.#atMs = atMs
    const ring = (): void => {
      this.#timer = undefined
      this.#atMs = Number.POSITIVE_INFINITY
      this.ring()
    }
    const dueMs = Math.max(this.clock.now() + 1, atMs)
    this.#timer = this.clock.setTimeout(() => {
      if (this.clock.now() - dueMs > LATE_MS) this.#timer = this.clock.setTimeout(ring, 0)
      else ring()
    }, dueMs - this.clock.now())
  }

  /** Never again. */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
