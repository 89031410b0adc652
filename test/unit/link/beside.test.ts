import { describe, expect, it } from 'vitest'
import { FRAME } from '../../../signaling/protocol/index.ts'
import { LinkPair } from './link-pair.ts'

const BULK = 'x'.repeat(100_000)

/** A pair on a direct path, with so many beside it. */
function crowded(count: number) {
  const pair = new LinkPair()
  pair.clock.advance(100)
  const main = pair.connect()
  const beside = Array.from({ length: count }, () => pair.connect(true))
  pair.clock.advance(100)
  return { pair, main, beside }
}

describe('paths beside the one in use', () => {
  it('are never the path in use, nor reason to think that the member can be reached', () => {
    const pair = new LinkPair()
    pair.clock.advance(100)
    pair.connect(true)
    pair.clock.advance(1_000)
    expect(pair.ada.link.path).toBe('relay')
    expect(pair.ada.link.reachableDirectly).toBe(false)
  })

  it('carry bulk once their own ping was answered, and small messages stay where they are', () => {
    const { pair, main, beside } = crowded(2)
    expect(pair.ada.link.path).toBe('direct')
    pair.ada.send(BULK)
    pair.ada.send('small')
    pair.clock.advance(200)
    expect(pair.bob.heard).toContain('small')
    expect(pair.bob.heard).toHaveLength(2)
    expect(main[0].types.get('bulk')).toBeUndefined()
    const pieces = beside.map(([end]) => end.types.get('bulk')?.length ?? 0)
    expect(pieces.reduce((sum, count) => sum + count)).toBe(7)
    expect(main[0].types.get('small')).toContain(FRAME.data)
    for (const [end] of beside) expect(end.types.get('small')).toBeUndefined()
  })

  it.each(['direct', 'turn'] as const)('are told of bulk that waits for a path that is %s, if it is direct', (kind) => {
    const { pair, main } = crowded(0)
    main[0].kind = kind
    main[0].full = true
    pair.ada.link.pathChanged()
    pair.ada.send(BULK)
    expect(pair.ada.events.includes('bulk waits')).toBe(kind === 'direct')
  })

  it('that die in silence lose nothing, and are given up; the path in use stays', () => {
    const { pair, beside } = crowded(2)
    const [dead] = beside
    for (const end of dead ?? []) end.dark = true
    pair.ada.send(BULK)
    pair.ada.send(BULK)
    pair.clock.advance(12_000)
    expect(pair.bob.heard).toHaveLength(2)
    expect(pair.ada.events).toContain('gave up')
    expect(pair.ada.link.path).toBe('direct')
    expect(pair.ada.link.suspended).toBe(false)
    expect(pair.ada.events.filter((event) => event === 'path relay')).toHaveLength(1)
  })
})
