import type { Clock, TimerHandle } from './clock.ts'
import { reportError } from './events.ts'

/** What could not be loaded, since the network or the server of the files was away, is tried again after this, doubling. */
const AGAIN_MS = 1_000
const LONGEST_AGAIN_MS = 32_000
/** Waiting for it: more than a member may have messages that wait to be signed, and the rest is about members that come. */
const MOST_ASKED = 16_384

type Asked<T> = readonly [what: (it: T) => void, failed?: (() => void) | undefined]

/** What is loaded when it is first needed: what is asked of it before it is there is done then, in that order. */
export class Later<T> {
  here: T | undefined
  readonly #asked = new Map<unknown, Asked<T>>()
  #coming = false
  #againMs = AGAIN_MS
  /** Until the next try. */
  #timer: TimerHandle | undefined
  #closed = false

  /** `load` may reject, or resolve with nothing: then it is tried again. */
  constructor(
    private readonly load: () => Promise<T | undefined>,
    private readonly clock: Clock,
  ) {}

  /** It has been needed. */
  get asked(): boolean {
    return this.#coming || this.#asked.size > 0 || this.here !== undefined
  }

  /**
   * `key`: of what is asked with the same one, the newest is done. `failed`: called instead when it cannot be loaded the
   * next time, or too much waits; without, it waits for another.
   */
  do(what: (it: T) => void, key: unknown = what, failed?: () => void): void {
    if (this.here !== undefined) what(this.here)
    else if (!this.#closed) {
      this.#asked.set(key, [what, failed])
      // Of who is gone, most likely: members come and go, and the code for them may never come.
      const [oldest] = this.#asked.size > MOST_ASKED ? this.#asked : []
      if (oldest !== undefined) this.#giveUp(...oldest)
      this.#try()
    }
  }

  /** Nothing that waits is done any more. */
  close(): void {
    this.#closed = true
    this.#asked.clear()
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
  }

  #try(): void {
    if (this.#coming || this.#timer !== undefined) return
    this.#coming = true
    this.load()
      .catch(() => undefined)
      .then((it) => {
        this.#coming = false
        if (it === undefined) this.#failed()
        else this.#came(it)
      })
  }

  /** All at once: only what is asked finds it here before everything that was asked earlier is done. */
  #came(it: T): void {
    if (this.#closed) return
    this.here = it
    for (const [key, [what]] of this.#asked) {
      this.#asked.delete(key)
      try {
        what(it)
      } catch (error) {
        reportError(error)
      }
    }
  }

  #giveUp(key: unknown, [, failed]: Asked<T>): void {
    this.#asked.delete(key)
    if (failed !== undefined) queueMicrotask(failed)
  }

  #failed(): void {
    if (this.#closed) return
    this.#timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#asked.size > 0) this.#try()
    }, this.#againMs)
    this.#againMs = Math.min(2 * this.#againMs, LONGEST_AGAIN_MS)
    for (const [key, asked] of this.#asked) if (asked[1] !== undefined) this.#giveUp(key, asked)
  }
}
