import { describe, expect, it } from 'vitest'
import { BackOff } from '../../../web/client/uplink/back-off.ts'

const GRACE_MS = 20_000
/** The longest that each wait may be, when each follows the one before at once. */
const waits = (backOff: BackOff, nowMs: number, count: number): number[] =>
  Array.from({ length: count }, () => backOff.nextMs(nowMs))

const longest = () => new BackOff(() => 1)

describe('back-off of the uplink', () => {
  it('doubles to its bound while the server was never reached', () => {
    expect(waits(longest(), 100_000, 8)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  it('stays short after a good spell: for 5 s, then while the grace period lasts', () => {
    const backOff = longest()
    expect(backOff.lost(100_000, 2_000, GRACE_MS)).toBe(true)
    expect(waits(backOff, 104_999, 4)).toEqual([250, 500, 500, 500])
    expect(waits(backOff, 119_999, 2)).toEqual([2_000, 2_000])
    expect(waits(backOff, 120_000, 1)).toEqual([10_000])
  })

  it('stays short after the first uplink of all, however soon it ended: the server may have been restarted', () => {
    const backOff = longest()
    expect(backOff.lost(100_000, 1_200, GRACE_MS)).toBe(false)
    expect(waits(backOff, 100_500, 4)).toEqual([250, 500, 500, 500])
  })

  it('grows while the server goes on ending what it has just let in', () => {
    const backOff = longest()
    let nowMs = 100_000
    const grown: number[] = []
    for (let round = 0; round < 8; round += 1) {
      expect(backOff.lost(nowMs, 1_000, GRACE_MS)).toBe(false)
      const waitMs = backOff.nextMs(nowMs)
      grown.push(waitMs)
      nowMs += waitMs + 1_000
    }
    expect(grown).toEqual([250, 500, 500, 500, 2_000, 2_000, 2_000, 2_000])
    expect(backOff.nextMs(120_000)).toBe(10_000)
  })
})
