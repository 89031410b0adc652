import { describe, expect, it } from 'vitest'
import { ApiError } from '../../../signaling/api/api-error.ts'
import { Idempotency } from '../../../signaling/api/idempotency.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const HOUR_MS = 3_600_000

function counted() {
  let nowMs = 0
  let runs = 0
  const idempotency = new Idempotency(() => nowMs)
  const ask = (key: string, body = 'x', what = 'POST /a') =>
    idempotency.once(key, what, bytes(body), () => {
      runs += 1
      return { status: 200, body: { run: runs } }
    })
  const advance = (ms: number): void => {
    nowMs += ms
  }
  return { idempotency, ask, runs: () => runs, advance }
}

describe('a request with an Idempotency-Key', () => {
  it('is carried out once, and answered the same', () => {
    const { ask, runs } = counted()
    expect(ask('k')).toMatchObject({ again: false, answer: { body: { run: 1 } } })
    expect(ask('k')).toMatchObject({ again: true, answer: { body: { run: 1 } } })
    expect(runs()).toBe(1)
  })

  it('is another one at another address', () => {
    const { ask, runs } = counted()
    ask('k')
    ask('k', 'x', 'POST /b')
    expect(runs()).toBe(2)
  })

  it('is refused with another body', () => {
    const { ask } = counted()
    ask('k')
    expect(() => ask('k', 'y')).toThrow(ApiError)
  })

  it('is forgotten after an hour', () => {
    const { ask, runs, advance } = counted()
    ask('k')
    advance(HOUR_MS - 1)
    ask('k')
    expect(runs()).toBe(1)
    advance(1)
    ask('k', 'y')
    expect(runs()).toBe(2)
  })

  it('that failed may be asked again', () => {
    const { idempotency, ask } = counted()
    const failing = (): never => {
      throw new ApiError('no-such-room', 'nobody')
    }
    expect(() => idempotency.once('k', 'POST /a', bytes('x'), failing)).toThrow('nobody')
    expect(ask('k').again).toBe(false)
  })

  it('costs bounded memory: the oldest of more than 10,000 are forgotten', () => {
    const { idempotency, ask, runs } = counted()
    for (let index = 0; index < 10_100; index += 1) ask(`${index}`)
    expect(idempotency.size).toBe(10_000)
    expect(ask('10099').again).toBe(true)
    expect(ask('0').again).toBe(false)
    expect(runs()).toBe(10_101)
  })

  it('that ran out makes room', () => {
    const { idempotency, ask, advance } = counted()
    for (let index = 0; index < 50; index += 1) ask(`${index}`)
    advance(HOUR_MS)
    ask('new')
    expect(idempotency.size).toBe(1)
  })
})
