/** What the session needs of the world around it, so that tests hold the clock. */
export interface Environment {
  /** ms; only differences count. */
  now(): number
  /** Calls again and again until the answer is called. */
  every(intervalMs: number, call: () => void): () => void
}

export const browserEnvironment: Environment = Object.freeze({
  now: () => performance.now(),
  every: (intervalMs: number, call: () => void) => {
    const timer = setInterval(call, intervalMs)
    return () => clearInterval(timer)
  },
})
