import { describe, expect, it } from 'vitest'
import { type Slot, SlotPool } from '../../../web/client/paths/slots.ts'

describe('a pool of slots', () => {
  it('gives no more than its limit', () => {
    const pool = new SlotPool(2)
    const slots = [pool.take(), pool.take()]
    expect(pool.take()).toBeUndefined()
    slots[0]?.release()
    expect(pool.take()).toBeDefined()
    expect(pool.used).toBe(2)
  })

  it('takes a slot back once', () => {
    const pool = new SlotPool(2)
    const slot = pool.take()
    pool.take()
    slot?.release()
    slot?.release()
    expect(pool.used).toBe(1)
  })

  it('serves those who wait in their order, before anyone who comes later', () => {
    const pool = new SlotPool(1)
    const held = pool.take()
    const served: string[] = []
    const granted: Slot[] = []
    for (const name of ['a', 'b', 'c']) {
      pool.wait((slot) => {
        served.push(name)
        granted.push(slot)
      })
    }
    held?.release()
    expect(served).toEqual(['a'])
    expect(pool.take()).toBeUndefined()
    granted[0]?.release()
    expect(served).toEqual(['a', 'b'])
  })

  it('passes over those who left the line', () => {
    const pool = new SlotPool(1)
    const held = pool.take()
    const served: string[] = []
    const leave = pool.wait(() => served.push('a'))
    pool.wait(() => served.push('b'))
    leave()
    held?.release()
    expect(served).toEqual(['b'])
  })

  it('goes on to the next when a slot is given back out of the grant', () => {
    const pool = new SlotPool(1)
    const held = pool.take()
    const served: string[] = []
    pool.wait((slot) => {
      served.push('a')
      slot.release()
    })
    pool.wait(() => served.push('b'))
    held?.release()
    expect(served).toEqual(['a', 'b'])
    expect(pool.used).toBe(1)
  })
})
