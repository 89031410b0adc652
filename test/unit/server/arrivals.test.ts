import { describe, expect, it } from 'vitest'
import { Arrivals } from '../../../signaling/limits/arrivals.ts'

describe('arrivals of one address', () => {
  const clock = { now: 0, nowMs: () => clock.now }
  const fresh = (): Arrivals => {
    clock.now = 1_000_000
    return new Arrivals(10, clock)
  }
  const many = (count: number, act: () => boolean): number => {
    let granted = 0
    for (let attempt = 0; attempt < count; attempt += 1) if (act()) granted += 1
    return granted
  }

  it('are two members for each connection, until some are gone', () => {
    const arrivals = fresh()
    expect(many(30, () => arrivals.enter('a'))).toBe(20)
    expect(arrivals.enter('b')).toBe(true)
    clock.now += 20_000
    expect(arrivals.enter('a')).toBe(false)
    arrivals.exit('a')
    expect(many(5, () => arrivals.enter('a'))).toBe(1)
  })

  it('are a burst, then one at a time, whether they leave or come back', () => {
    const arrivals = fresh()
    const churn = (): boolean => {
      const entered = arrivals.enter('a')
      if (entered) arrivals.exit('a')
      return entered
    }
    expect(many(15, churn) + many(15, () => arrivals.comeBack('a'))).toBe(20)
    clock.now += 1_000
    expect(many(10, churn)).toBe(1)
    clock.now -= 5_000
    expect(many(10, churn)).toBe(0)
    clock.now += 20_000
    expect(many(30, churn)).toBe(20)
  })

  it('leave nothing behind', () => {
    const arrivals = fresh()
    for (let number = 0; number < 1_000; number += 1) {
      arrivals.enter(String(number))
      arrivals.exit(String(number))
    }
    arrivals.enter('stays')
    clock.now += 20_000
    arrivals.comeBack('new')
    expect(arrivals.size).toBe(2)
  })
})
