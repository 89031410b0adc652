import type { PeerId } from 'partyline'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../web/chat/model/entry.ts'
import { GROUP_MS, layOut } from '../../../web/chat/model/rows.ts'

const ADA = 'aaaaaaaaaaaaaaaa' as PeerId
const BO = 'bbbbbbbbbbbbbbbb' as PeerId
const message = (key: string, from: PeerId, atMs: number): Entry => ({
  kind: 'message',
  key,
  from,
  own: false,
  text: key,
  atMs,
})
const notice = (key: string, atMs: number): Entry => ({ kind: 'notice', key, text: key, tone: 'plain', atMs })
const day = (atMs: number): string => String(Math.floor(atMs / 86_400_000))
const groups = (entries: readonly Entry[], unreadFrom?: string): readonly boolean[] =>
  layOut(entries, unreadFrom, day).map((row) => row.startsGroup)

describe('rows of the timeline', () => {
  it('puts what one author says in a short time together', () => {
    expect(
      groups([message('1', ADA, 0), message('2', ADA, 1_000), message('3', BO, 2_000), message('4', ADA, 3_000)]),
    ).toEqual([true, false, true, true])
  })

  it('starts anew after a pause, a notice, a new day and at the unread marker', () => {
    expect(groups([message('1', ADA, 0), message('2', ADA, GROUP_MS + 1)])).toEqual([true, true])
    expect(groups([message('1', ADA, 0), notice('n', 1), message('2', ADA, 2)])).toEqual([true, true, true])
    expect(groups([message('1', ADA, 86_399_999), message('2', ADA, 86_400_000)])).toEqual([true, true])
    expect(groups([message('1', ADA, 0), message('2', ADA, 1)], '2')).toEqual([true, true])
  })

  it('marks days from the second on, and the first unread', () => {
    const rows = layOut([message('1', ADA, 0), message('2', ADA, 86_400_000)], '2', day)
    expect(rows.map((row) => [row.startsDay, row.startsUnread])).toEqual([
      [false, false],
      [true, true],
    ])
  })
})
