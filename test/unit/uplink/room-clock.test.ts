import { describe, expect, test } from 'vitest'
import { fromWire, RoomClock, toWire } from '../../../web/client/room-clock.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('the room clock', () => {
  test('is this machine’s until the server has spoken', () => {
    const clock = new FakeClock(1_000)
    const roomClock = new RoomClock(clock, 1_700_000_000_000)
    clock.advance(50)
    expect(roomClock.now()).toBe(1_700_000_000_050)
  })

  test('believes the sample with the smallest round trip of the window', () => {
    const clock = new FakeClock(0)
    const roomClock = new RoomClock(clock, 0)
    roomClock.sample(10_030, 100)
    expect(roomClock.now()).toBe(10_080)
    roomClock.sample(10_100, 10)
    expect(roomClock.now()).toBe(10_105)
    roomClock.sample(10_120, 60)
    expect(roomClock.now()).toBe(10_105)
    // Twelve samples later that one is forgotten.
    for (let count = 0; count < 12; count += 1) roomClock.sample(10_120, 60)
    expect(roomClock.now()).toBe(10_150)
  })

  test('never goes backwards: it stands until the time it told has come', () => {
    const clock = new FakeClock(0)
    const roomClock = new RoomClock(clock, 5_000)
    expect(roomClock.now()).toBe(5_000)
    roomClock.sample(4_000, 0)
    clock.advance(400)
    expect(roomClock.now()).toBe(5_000)
    clock.advance(700)
    expect(roomClock.now()).toBe(5_100)
  })

  test('samples that contradict a new one are forgotten: a clock was set, or the machine slept', () => {
    const clock = new FakeClock(0)
    const roomClock = new RoomClock(clock, 0)
    roomClock.sample(1_000, 4)
    roomClock.sample(61_000, 80)
    expect(roomClock.now()).toBe(61_040)
  })

  test('after a restart only new samples count, the old estimate serving until then', () => {
    const clock = new FakeClock(0)
    const roomClock = new RoomClock(clock, 0)
    roomClock.sample(1_000, 0)
    roomClock.restart()
    expect(roomClock.now()).toBe(1_000)
    roomClock.sample(1_000, 40)
    expect(roomClock.now()).toBe(1_020)
  })
})

describe('times on the wire', () => {
  const span = 2 ** 24

  test.each([
    [0, 0],
    [1.9, 1],
    [span, 0],
    [1_700_000_000_123, 1_700_000_000_123 % span],
    [-1, span - 1],
  ])('%d ms travels as %d', (ms, wire) => expect(toWire(ms)).toBe(wire))

  test('come back whole within 2.3 hours, also across the wrap', () => {
    for (const now of [span * 101_330, span * 101_330 - 1, span * 101_330 + 5, 1_700_000_000_123.7]) {
      for (const offset of [0, 1, -1, 60_000, -60_000, span / 2 - 1, -span / 2]) {
        expect(fromWire(toWire(Math.floor(now) + offset), now)).toBe(Math.floor(now) + offset)
      }
    }
  })
})
