import type { Clock } from './clock.ts'

/** What could not be loaded is tried again after this: the network, or the server of the files, was away. */
const AGAIN_MS = 5_000

/** What is loaded when it is first needed: what is asked of it before it is there is done then, in that order. */
export class Later<T> {
  here: T | undefined
  readonly #asked = new Map<unknown, readonly [what: (it: T) => void, failed?: (() => void) | undefined]>()
  /** It is on its way, or will be tried again in a while. */
  #coming = false

  /** `load` may reject, or resolve with nothing: then it is tried again. */
  constructor(
    private readonly load: () => Promise<T | undefined>,
    private readonly clock: Clock,
  ) {}

  /** It is being loaded, if it is not here. */
  get asked(): boolean {
    return this.#coming
  }

  /**
   * `key`: of what is asked with the same one, the newest is done. `failed`: called instead when it cannot be loaded the
   * next time; without, it waits for another.
   */
  do(what: (it: T) => void, key: unknown = what, failed?: () => void): void {
    if (this.here) {
      what(this.here)
      return
    }
    this.#asked.set(key, [what, failed])
    this.#try()
  }

  /** Nothing that waits is done any more. */
  close(): void {
    this.#asked.clear()
  }

  #try(): void {
    if (this.#coming) return
    this.#coming = true
    this.load()
      .catch(() => undefined)
      .then((it) => {
        this.here = it
        for (const [key, [what, failed]] of this.#asked) {
          const next = it ? () => what(it) : failed
          if (next && this.#asked.delete(key)) queueMicrotask(next)
        }
        const again = (): void => {
          this.#coming = false
          if (this.#asked.size) this.#try()
        }
        if (!it && this.#asked.size) this.clock.setTimeout(again, AGAIN_MS)
        else if (!it) this.#coming = false
      })
  }
}
