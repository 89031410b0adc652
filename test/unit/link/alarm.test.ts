import { describe, expect, it } from 'vitest'
import { Alarm } from '../../../web/client/link/alarm.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('an alarm', () => {
  it('rings once, at the earliest time asked for', () => {
    const clock = new FakeClock(0)
    const rings: number[] = []
    const alarm = new Alarm(clock, () => rings.push(clock.now()))
    alarm.by(100)
    alarm.by(50)
    alarm.by(70)
    alarm.by(Number.POSITIVE_INFINITY)
    expect(clock.pending()).toBe(1)
    clock.advance(1_000)
    expect(rings).toEqual([50])
    alarm.by(1_100)
    clock.advance(1_000)
    expect(rings).toEqual([50, 1_100])
  })

  it('may be set while it rings, also for what is past', () => {
    const clock = new FakeClock(0)
    const rings: number[] = []
    const alarm: Alarm = new Alarm(clock, () => {
      rings.push(clock.now())
      if (rings.length < 3) alarm.by(Number.NEGATIVE_INFINITY)
    })
    alarm.by(10)
    clock.advance(100)
    expect(rings).toEqual([10, 11, 12])
  })

  it('that was stopped stays silent', () => {
    const clock = new FakeClock(0)
    const alarm = new Alarm(clock, () => {
      throw new Error('it rang')
    })
    alarm.by(10)
    alarm.stop()
    alarm.by(20)
    clock.advance(100)
    expect(clock.pending()).toBe(0)
  })
})
