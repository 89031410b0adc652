import { describe, expect, it } from 'vitest'
import { RoundTrip } from '../../../web/client/delivery/round-trip.ts'
import { before as comesBefore, distance, plus } from '../../../web/client/delivery/serial.ts'

const LAST = 2 ** 32 - 1

describe('serial numbers', () => {
  it('wrap, and compare within half the circle', () => {
    expect(plus(LAST, 1)).toBe(0)
    expect(plus(0, -1)).toBe(LAST)
    expect(distance(LAST, 2)).toBe(3)
    expect(distance(2, LAST)).toBe(LAST - 2)
    expect([comesBefore(LAST, 0), comesBefore(0, LAST), comesBefore(5, 5), comesBefore(0, 2 ** 31 - 1)]).toEqual([
      true,
      false,
      false,
      true,
    ])
  })
})

describe('the round-trip time', () => {
  it('is unknown, and the timeout a second, before anything was measured', () => {
    const roundTrip = new RoundTrip()
    expect(roundTrip.smoothedMs).toBeUndefined()
    expect(roundTrip.timeoutMs(0)).toBe(1_000)
  })

  it('is smoothed, with a timeout of four variations and the peer’s delay on top', () => {
    const roundTrip = new RoundTrip()
    roundTrip.sample(100)
    expect(roundTrip.timeoutMs(20)).toBe(100 + 4 * 50 + 20)
    roundTrip.sample(180)
    expect(roundTrip.smoothedMs).toBe(110)
  })

  it('is never taken to be negative, and its timeout doubles up to a limit that is never below the path', () => {
    const roundTrip = new RoundTrip()
    roundTrip.sample(-5)
    expect(roundTrip.smoothedMs).toBe(0)
    const least = roundTrip.timeoutMs(0)
    expect(roundTrip.timeoutMs(0, 2)).toBe(4 * least)
    expect(roundTrip.timeoutMs(0, 30)).toBe(10_000)
    const slow = new RoundTrip()
    slow.sample(20_000)
    expect(slow.timeoutMs(0, 5)).toBe(60_000)
  })
})
