import { describe, expect, it } from 'vitest'
import { delivery } from '../../nat/conversation.ts'
import { expectedPath, PAIRS } from '../../nat/expected-path.ts'
import type { Account } from '../../nat/page/talker.ts'

const EMPTY: Account = {
  joinedAtMs: 1_000,
  addressed: [],
  missed: [],
  unsettled: 0,
  heard: [],
  paths: [],
  rttMs: undefined,
  events: [],
  attempts: 1,
}
const sent = (...addressed: number[]): Account => ({ ...EMPTY, addressed })
const heard = (...numbers: number[]): Account => ({
  ...EMPTY,
  heard: numbers.map((n, index) => ({ n, atMs: 1_100 + index * 20, delayMs: 5 })),
})

describe('what became of numbered messages', () => {
  it('all is well', () => {
    expect(delivery(sent(3, 4, 5), heard(3, 4, 5))).toEqual({
      ...{ sent: 3, delivered: 3, lost: 0, repeated: 0, outOfOrder: 0 },
      ...{ longestGapMs: 20, longestDelayMs: 5, firstMs: 100 },
    })
  })

  it('one that was addressed and never came is lost, unless the sender was told', () => {
    expect(delivery(sent(3, 4, 5), heard(3, 5))).toMatchObject({ delivered: 2, lost: 1 })
    const told = { ...sent(3, 4, 5), missed: [{ n: 4, why: 'left' }] }
    expect(delivery(told, heard(3, 5))).toMatchObject({ delivered: 2, lost: 0 })
  })

  it('one that came twice is repeated, one that came after a later one is out of order', () => {
    expect(delivery(sent(1, 2, 3), heard(1, 3, 2, 3))).toMatchObject({ delivered: 3, repeated: 1, outOfOrder: 1 })
  })

  it('gaps count that end after the fault began', () => {
    const late = { ...EMPTY, heard: [0, 500, 520].map((ms, n) => ({ n, atMs: 2_000 + ms, delayMs: ms })) }
    expect(delivery(sent(0, 1, 2), late, 2_400)).toMatchObject({ longestGapMs: 500, longestDelayMs: 520 })
    expect(delivery(sent(0, 1, 2), late, 2_510)).toMatchObject({ longestGapMs: 20 })
  })
})

describe('the best path between two networks', () => {
  it.each([
    ['full cone', 'symmetric', 'direct'],
    ['address-restricted', 'symmetric', 'direct'],
    ['port-restricted', 'symmetric', 'turn'],
    ['symmetric', 'symmetric', 'turn'],
    ['public', 'UDP blocked', 'turn'],
    ['only TCP 443', 'public', 'turn'],
    ['WebRTC blocked', 'public', 'relay'],
  ] as const)('%s and %s: %s', (a, b, path) => {
    expect([expectedPath(a, b), expectedPath(b, a)]).toEqual([path, path])
  })

  it('every pair of eight is there, and eight behind one NAT', () => {
    expect(PAIRS).toHaveLength(44)
  })
})
