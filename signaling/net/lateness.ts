/**
 * How far behind the loop has been lately, from how late something came that was due every `everyMs`. Whoever measures
 * how long others take must not hold against them what we were late ourselves: node:http looks for requests that have
 * not come whole before it reads those that wait in the kernel, and answers 408 to them.
 */
export class Lateness {
  readonly #everyMs: number
  readonly #windowMs: number
  readonly #nowMs: () => number
  readonly #late: { readonly atMs: number; readonly ms: number }[] = []
  #askedMs: number

  /** `windowMs`: what was longer ago does not count. `nowMs`: may begin anywhere. */
  constructor(everyMs: number, windowMs: number, nowMs: () => number) {
    this.#everyMs = everyMs
    this.#windowMs = windowMs
    this.#nowMs = nowMs
    this.#askedMs = nowMs()
  }

  /** Asked every `everyMs`, as near as may be: ms that were lost within the window. */
  ms(): number {
    const nowMs = this.#nowMs()
    const lateMs = nowMs - this.#askedMs - this.#everyMs
    this.#askedMs = nowMs
    if (lateMs > 0) this.#late.push({ atMs: nowMs, ms: lateMs })
    while (this.#late[0] !== undefined && nowMs - this.#late[0].atMs > this.#windowMs) this.#late.shift()
    return this.#late.reduce((sum, { ms }) => sum + ms, 0)
  }
}
