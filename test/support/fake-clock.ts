import type { TimerHandle } from '../../web/client/clock.ts'

interface FakeTimer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Time, the server's and the client's, that stands still until `advance` moves it; timers run in the order of their time, then of their setting. */
export class FakeClock {
  #nowMs: number
  #order = 0
  readonly #timers = new Set<FakeTimer>()

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  /** As the client's `Clock`. */
  now(): number {
    return this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): FakeTimer & TimerHandle {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run }
    this.#order += 1
    this.#timers.add(timer)
    return timer as FakeTimer & TimerHandle
  }

  clearTimeout(timer: object): void {
    this.#timers.delete(timer as FakeTimer)
  }

  /** Time goes on, and no timer runs: they are late. */
  lag(ms: number): void {
    this.#nowMs += ms
  }

  /** Timers set and neither run nor cleared. */
  pending(): number {
    return this.#timers.size
  }

  /** Move time on by `ms`, running what falls due on the way, also what that sets. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): FakeTimer | undefined {
    let first: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer
      }
    }
    return first
  }
}
