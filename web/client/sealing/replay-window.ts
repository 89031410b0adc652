/** Counters that are taken once: how far behind the newest one may come. */
export const WIDTH = 1_024

/** Which of the newest counters have been taken. */
export class ReplayWindow {
  #newest = 0
  /** By counter modulo `WIDTH`: of two that share a place, the older is out of the window. */
  readonly #taken = new Float64Array(WIDTH)

  /** False: it was taken before, or is too old to tell. */
  take(counter: number): boolean {
    const place = counter % WIDTH
    if (counter <= this.#newest - WIDTH || this.#taken[place] === counter) return false
    this.#taken[place] = counter
    this.#newest = Math.max(this.#newest, counter)
    return true
  }
}
