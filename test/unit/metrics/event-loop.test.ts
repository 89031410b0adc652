import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type DelayHistogram, EventLoopWatch } from '../../../signaling/metrics/event-loop.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Says of all percentiles the same. */
function histogram(valueMs: number): DelayHistogram & { set(valueMs: number): void; readonly resets: number } {
  let ns = valueMs * 1e6
  let resets = 0
  return {
    get max() {
      return ns
    },
    get resets() {
      return resets
    },
    percentile: () => ns,
    reset: () => {
      resets += 1
      ns = 0
    },
    disable: () => undefined,
    set: (ms) => {
      ns = ms * 1e6
    },
  }
}

it('says what was beyond the waiting, of the last whole window', () => {
  const recorded = histogram(52)
  const watch = new EventLoopWatch(recorded, 1_000)
  expect(watch.delay).toEqual({ p50Ms: 2, p99Ms: 2, maxMs: 2 })
  recorded.set(100)
  vi.advanceTimersByTime(1_000)
  expect(recorded.resets).toBe(1)
  recorded.set(900)
  expect(watch.delay.maxMs).toBe(50)
  vi.advanceTimersByTime(1_000)
  expect(watch.delay.maxMs).toBe(850)
  watch.stop()
  vi.advanceTimersByTime(10_000)
  expect(recorded.resets).toBe(2)
})

it('is never less than nothing', () => {
  const watch = new EventLoopWatch(histogram(49.5), 1_000)
  expect(watch.delay).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 })
  watch.stop()
})
