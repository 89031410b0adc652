import { describe, expect, it } from 'vitest'
import { Term } from '../../../signaling/access/term.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const DAY_MS = 86_400_000

function watched() {
  const clock = new FakeClock()
  const heard: (string | number)[] = []
  const term = new Term(clock, { expiring: (inMs) => heard.push(inMs), expired: () => heard.push('expired') })
  return { clock, heard, term, startMs: clock.nowMs() }
}

describe('the term of an access token', () => {
  it('is told half a minute before its end, and at its end', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs + 3_600_000)
    clock.advance(3_569_999)
    expect(heard).toEqual([])
    clock.advance(1)
    expect(heard).toEqual([30_000])
    clock.advance(30_000)
    expect(heard).toEqual([30_000, 'expired'])
    expect(clock.pending()).toBe(0)
  })

  it('is told halfway when it is short', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs + 10_000)
    clock.advance(5_000)
    expect(heard).toEqual([5_000])
  })

  it('begins anew with another token', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs + 60_000)
    clock.advance(40_000)
    term.set(startMs + 120_000)
    clock.advance(49_999)
    expect(heard).toEqual([30_000])
    clock.advance(1)
    expect(heard).toEqual([30_000, 30_000])
  })

  it('may be longer than timers are', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs + 60 * DAY_MS)
    clock.advance(60 * DAY_MS - 30_000)
    expect(heard).toEqual([30_000])
    clock.advance(30_000)
    expect(heard).toEqual([30_000, 'expired'])
  })

  it('that is over already ends at once', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs - 1)
    clock.advance(0)
    expect(heard).toEqual([0, 'expired'])
  })

  it('may have no end, and may be stopped', () => {
    const { clock, heard, term, startMs } = watched()
    term.set(startMs + 1_000)
    term.set(undefined)
    expect(clock.pending()).toBe(0)
    term.set(startMs + 1_000)
    term.stop()
    clock.advance(DAY_MS)
    expect(heard).toEqual([])
  })
})
