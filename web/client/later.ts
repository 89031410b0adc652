import type { Clock, TimerHandle } from './clock.ts'
import { reportError } from './events.ts'

/** What could not be loaded is tried again after this: the network, or the server of the files, was away. */
const AGAIN_MS = 5_000

interface Asked<T> {
  what(it: T): void
  failed?: (() => void) | undefined
}

/** What is loaded when it is first needed: what is asked of it before it is there is done then, in that order. */
export class Later<T> {
  here: T | undefined
  readonly #asked = new Map<unknown, Asked<T>>()
  #state: 'idle' | 'coming' | 'over' = 'idle'
  /** Until it is tried again. */
  #timer: TimerHandle | undefined

  /** `load` may reject, or resolve with nothing: then it is tried again. */
  constructor(
    private readonly load: () => Promise<T | undefined>,
    private readonly clock: Clock,
  ) {}

  /**
   * `key`: of what is asked with the same one, the newest is done. `failed`: called instead when it cannot be loaded now;
   * without, it waits for another try.
   */
  do(what: (it: T) => void, key: unknown = what, failed?: () => void): void {
    if (this.here !== undefined) {
      what(this.here)
      return
    }
    this.#asked.set(key, { what, failed })
    if (this.#timer === undefined || failed !== undefined) this.#try()
  }

  /** Nothing that waits is done any more. */
  close(): void {
    this.#state = 'over'
    this.#stop()
    this.#asked.clear()
  }

  #stop(): void {
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #try(): void {
    if (this.#state !== 'idle') return
    this.#state = 'coming'
    this.#stop()
    this.load().then(
      (it) => this.#came(it),
      () => this.#came(undefined),
    )
  }

  #came(it: T | undefined): void {
    if (this.#state === 'over') return
    this.#state = 'idle'
    this.here = it
    if (it === undefined) this.#timer = this.clock.setTimeout(() => this.#try(), AGAIN_MS)
    for (const [key, { what, failed }] of [...this.#asked]) {
      if (it === undefined && failed === undefined) continue
      this.#asked.delete(key)
      try {
        if (it === undefined) failed?.()
        else what(it)
      } catch (error) {
        reportError(error)
      }
    }
  }
}
