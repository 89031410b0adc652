import { describe, expect, it } from 'vitest'
import { SeenIds } from '../../../web/client/history/seen-ids.ts'

const ADA = 'a'.repeat(32)

describe('ids that have been handed on', () => {
  it('are those that were noted, and no others', () => {
    const seen = new SeenIds(100)
    const noted = [
      `${ADA}-1-4`,
      `${ADA}-1-5`,
      `${ADA}-1-3`,
      `${ADA}-1-u9`,
      `${ADA}-12-1`,
      '9d3f0c5a7b1e2f40',
      'backend-1',
    ]
    for (const id of noted) seen.note(id)
    for (const id of noted) expect(seen.has(id), id).toBe(true)
    const others = [
      `${ADA}-1-2`,
      `${ADA}-1-6`,
      `${ADA}-1-9`,
      `${ADA}-1-u4`,
      `${ADA}-2-4`,
      '9d3f0c5a7b1e2f41',
      'backend-2',
    ]
    for (const id of others) expect(seen.has(id), id).toBe(false)
  })

  it('are remembered however many follow each other', () => {
    const seen = new SeenIds(4)
    seen.note(`${ADA}-1-0`)
    for (let ordinal = 0; ordinal < 10_000; ordinal += 1) seen.note(`${ADA}-2-${ordinal}`)
    expect([seen.has(`${ADA}-1-0`), seen.has(`${ADA}-2-0`), seen.has(`${ADA}-2-9999`)]).toEqual([true, true, true])
  })

  it('are noted as a run, from its first to its last', () => {
    const seen = new SeenIds(4)
    seen.note(`${ADA}-1-5`, `${ADA}-1-3`)
    seen.note(`${ADA}-1-u7`, `${ADA}-1-u7`)
    seen.note('backend', 'backend')
    const has = (ordinal: number | string): boolean => seen.has(`${ADA}-1-${ordinal}`)
    expect([2, 3, 4, 5, 6, 'u6', 'u7'].map(has)).toEqual([false, true, true, true, false, false, true])
    expect(seen.has('backend')).toBe(true)
  })

  it('are forgotten from where nothing has come for longest, when they are too many', () => {
    const seen = new SeenIds(4)
    for (const ordinal of [0, 2, 4]) seen.note(`${ADA}-1-${ordinal}`)
    for (const ordinal of [0, 2, 4]) seen.note(`${ADA}-2-${ordinal}`)
    const has = (channel: number): boolean[] => [0, 2, 4].map((ordinal) => seen.has(`${ADA}-${channel}-${ordinal}`))
    expect([has(1), has(2)]).toEqual([
      [false, false, true],
      [true, true, true],
    ])
    for (const ordinal of [6, 8]) seen.note(`${ADA}-2-${ordinal}`)
    expect([has(1), has(2)]).toEqual([
      [false, false, false],
      [false, true, true],
    ])
  })
})
