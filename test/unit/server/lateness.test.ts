import { expect, it } from 'vitest'
import { Lateness } from '../../../signaling/net/lateness.ts'

it('what comes late counts for a while, and what comes in time or early does not', () => {
  let nowMs = 5_000
  const lateness = new Lateness(2_000, 10_000, () => nowMs)
  const after = (ms: number): number => {
    nowMs += ms
    return lateness.ms()
  }
  expect([after(2_000), after(1_500), after(2_300)]).toEqual([0, 0, 300])
  // The loop stood still.
  expect(after(14_000)).toBe(12_000)
  expect([after(2_000), after(3_000), after(5_000)]).toEqual([12_000, 13_000, 16_000])
  expect(after(2_000)).toBe(4_000)
  expect([after(2_000), after(2_000), after(4_000), after(1)]).toEqual([4_000, 3_000, 5_000, 2_000])
})
