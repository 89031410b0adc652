/**
 * What some work takes on the clock, ms: the quickest of three rounds. A machine that is shared may stand still in any
 * of them, but hardly in all; work that grows out of hand is slow in each.
 */
export async function quickestMs(work: () => unknown): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3; round += 1) {
    const startedMs = performance.now()
    await work()
    quickest = Math.min(quickest, performance.now() - startedMs)
  }
  return quickest
}
