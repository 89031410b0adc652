import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../web/chat/model/entry.ts'
import { append, change } from '../../../web/chat/model/timeline.ts'
import { afterArrival, afterReading, afterSpeaking, NOTHING_UNREAD, titleOf } from '../../../web/chat/model/unread.ts'

const notice = (key: string): Entry => ({ kind: 'notice', key, text: key, tone: 'plain', atMs: 0 })
const keys = (entries: readonly Entry[]): readonly string[] => entries.map((entry) => entry.key)

describe('the timeline', () => {
  it('forgets the oldest entries beyond its bound', () => {
    const entries = ['1', '2', '3', '4'].reduce<readonly Entry[]>((all, key) => append(all, notice(key), 3), [])
    expect(keys(entries)).toEqual(['2', '3', '4'])
  })

  it('changes one entry and leaves the others the same objects', () => {
    const before = [notice('1'), notice('2')]
    const after = change(before, '2', (entry) => ({ ...entry, atMs: 5 }))
    expect(after[0]).toBe(before[0])
    expect(after[1]?.atMs).toBe(5)
    expect(change(before, 'gone', (entry) => ({ ...entry }))).toBe(before)
    expect(change(before, '1', (entry) => entry)).toBe(before)
  })
})

describe('unread', () => {
  it('counts what comes while nobody looks and marks the first of it', () => {
    const away = afterArrival(afterArrival(NOTHING_UNREAD, 'a', false), 'b', false)
    expect(away).toEqual({ from: 'a', count: 2 })
    expect(afterArrival(NOTHING_UNREAD, 'a', true)).toEqual(NOTHING_UNREAD)
  })

  it('keeps the marker after reading, moves it with the next unread, and drops it when one speaks', () => {
    const read = afterReading({ from: 'a', count: 2 })
    expect(read).toEqual({ from: 'a', count: 0 })
    expect(afterArrival(read, 'c', false)).toEqual({ from: 'c', count: 1 })
    expect(afterSpeaking()).toEqual(NOTHING_UNREAD)
  })

  it('puts the count in front of the title', () => {
    expect(titleOf('lobby', 0)).toBe('lobby · Partyline')
    expect(titleOf('lobby', 3)).toBe('(3) lobby · Partyline')
    expect(titleOf('lobby', 1_000)).toBe('(99+) lobby · Partyline')
  })
})
