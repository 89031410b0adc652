import type { Clock, TimerHandle } from '../clock.ts'
import type { DirectPath, NegotiatedPath } from './path.ts'

/** The usable path of a link, and those it has replaced, which go on receiving for a moment. */
export class PathsInUse {
  #current: NegotiatedPath | undefined
  readonly #retiring = new Map<DirectPath, TimerHandle>()

  constructor(
    readonly clock: Clock,
    readonly retireMs: number,
  ) {}

  get current(): NegotiatedPath | undefined {
    return this.#current
  }

  /** From now on `path` is the one in use. The one before is closed a little later: frames are still on their way. */
  promote(path: NegotiatedPath): void {
    const before = this.#current
    this.#current = path
    if (before === undefined || before === path) return
    const timer = this.clock.setTimeout(() => {
      this.#retiring.delete(before)
      before.close()
    }, this.retireMs)
    this.#retiring.set(before, timer)
  }

  /** It was closed, or will be. True when it was the one in use. */
  forget(path: DirectPath): boolean {
    const timer = this.#retiring.get(path)
    if (timer !== undefined) this.clock.clearTimeout(timer)
    this.#retiring.delete(path)
    if (this.#current !== path) return false
    this.#current = undefined
    return true
  }

  closeAll(): void {
    const paths: DirectPath[] = [...this.#retiring.keys()]
    if (this.#current !== undefined) paths.push(this.#current)
    for (const path of paths) {
      this.forget(path)
      path.close()
    }
  }
}
