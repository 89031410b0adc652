import type { Clock, TimerHandle } from '../../web/client/clock.ts'

interface Timer {
  atMs: number
  order: number
  run: (() => void) | undefined
}

/** Simulated time for thousands of timers: a binary heap, in order of time, then of setting. */
export class SimClock implements Clock {
  #nowMs: number
  #order = 0
  #live = 0
  readonly #heap: Timer[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  /** As the server's clock. */
  nowMs(): number {
    return this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): Timer & TimerHandle {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run }
    this.#order += 1
    this.#live += 1
    this.#heap.push(timer)
    this.#up(this.#heap.length - 1)
    return timer as Timer & TimerHandle
  }

  clearTimeout(handle: object): void {
    const timer = handle as Timer
    if (timer.run === undefined) return
    timer.run = undefined
    this.#live -= 1
  }

  /** Timers that will run. */
  get pending(): number {
    return this.#live
  }

  /** Run what is due first. False when nothing is, or not before `untilMs`. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (first.run !== undefined && first.atMs > untilMs)) return false
      this.#pop()
      const { run } = first
      if (run === undefined) continue
      first.run = undefined
      this.#live -= 1
      this.#nowMs = Math.max(this.#nowMs, first.atMs)
      run()
      return true
    }
  }

  /** All timers and the promises between them, for `ms` of simulated time. */
  run(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // Not in a promise's reaction, where no others can be run to the last.
      setImmediate(() => {
        const untilMs = this.#nowMs + ms
        try {
          settle()
          while (this.step(untilMs)) settle()
        } catch (error) {
          reject(error)
          return
        }
        this.#nowMs = untilMs
        resolve()
      })
    })
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#less(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (this.#heap.length === 0 || last === undefined) return
    this.#heap[0] = last
    let index = 0
    for (;;) {
      let least = index
      if (this.#less(2 * index + 1, least)) least = 2 * index + 1
      if (this.#less(2 * index + 2, least)) least = 2 * index + 2
      if (least === index) return
      this.#swap(index, least)
      index = least
    }
  }

  #less(a: number, b: number): boolean {
    const x = this.#heap[a]
    const y = this.#heap[b]
    return x !== undefined && y !== undefined && (x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order))
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a] as Timer
    this.#heap[a] = this.#heap[b] as Timer
    this.#heap[b] = x
  }
}

/**
 * Runs the reactions of promises that are settled, to the last. It is what Node does itself between two callbacks; to
 * wait for that, with an immediate for each timer, costs ten times as much, and that as often as 5,000 times a seed.
 */
const settle = (process as typeof process & { readonly _tickCallback: () => void })._tickCallback
