const EVERY_MS = 20

/** Of a longer rest between two looks, no more than this is counted. */
const COUNTED_MS = 5 * EVERY_MS

/** Time that has passed since it was made, but for what this process stood still. */
export class CountedTime {
  #passedMs = 0
  #lookedMs = performance.now()
  readonly #timer = setInterval(() => this.#look(), EVERY_MS)

  get passedMs(): number {
    this.#look()
    return this.#passedMs
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const nowMs = performance.now()
    this.#passedMs += Math.min(COUNTED_MS, nowMs - this.#lookedMs)
    this.#lookedMs = nowMs
  }
}

/**
 * Does the work, and notes by how much a timer of this process was late at most meanwhile, ms: so long the machine kept
 * what is tested waiting as well.
 */
export async function notingLateness<T>(work: () => Promise<T>): Promise<{ result: T; lateMs: number }> {
  let worstMs = 0
  let dueMs = performance.now() + EVERY_MS
  const look = (): void => {
    const nowMs = performance.now()
    worstMs = Math.max(worstMs, nowMs - dueMs)
    dueMs = nowMs + EVERY_MS
  }
  const timer = setInterval(look, EVERY_MS)
  try {
    const result = await work()
    look()
    return { result, lateMs: Math.round(worstMs) }
  } finally {
    clearInterval(timer)
  }
}
