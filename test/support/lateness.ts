const EVERY_MS = 20

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
