import type { Clock, TimerHandle } from '../clock.ts'

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
    this.#timer = this.clock.setTimeout(
      () => {
        this.#timer = undefined
        this.#atMs = Number.POSITIVE_INFINITY
        this.ring()
      },
      Math.max(1, atMs - this.clock.now()),
    )
  }

  /** Never again. */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
