import type { Clock, TimerHandle } from '../clock.ts'

/** Acts at once on the first call; calls within `periodMs` of it are one more act at the period's end. */
export class Throttle {
  #timer: TimerHandle | undefined
  #again = false

  constructor(
    readonly clock: Clock,
    readonly periodMs: number,
    readonly act: () => void,
  ) {}

  call(): void {
    if (this.#timer !== undefined) {
      this.#again = true
      return
    }
    this.#timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      if (!this.#again) return
      this.#again = false
      this.call()
    }, this.periodMs)
    this.act()
  }

  stop(): void {
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#again = false
  }
}
