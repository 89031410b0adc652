/** What a link does at once, where a time-out would repair it too, only later. */
import { describe, expect, it } from 'vitest'
import { FRAME, frameType } from '../../../signaling/protocol/index.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'
import { LinkPair } from './link-pair.ts'

const upTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
const isGreeting = (frame: Uint8Array): boolean => frameType(frame) === FRAME.greet

/** Ada's greetings are lost at first, and what she sends is not. */
function beforeTheGreeting(texts: readonly string[]): LinkPair {
  const pair = new LinkPair({ begin: false })
  pair.ada.drops = isGreeting
  pair.ada.begin()
  pair.bob.begin()
  for (const text of texts) pair.ada.send(text)
  pair.clock.advance(100)
  pair.ada.drops = (frame) => !isGreeting(frame)
  return pair
}

describe('what came before the greeting', () => {
  it('is handed on with the greeting, without another round trip', () => {
    const { ada, bob, clock } = beforeTheGreeting(upTo(3))
    expect(bob.heard).toEqual([])
    ada.relayed.length = 0
    while (!ada.relayed.includes(FRAME.greet)) clock.advance(1)
    clock.advance(20)
    expect(bob.heard).toEqual(upTo(3))
  })

  it('is held up to 64 KiB, and no further', () => {
    const { bob, ada, clock } = beforeTheGreeting(upTo(20).map((text) => text.padEnd(10_000)))
    ada.relayed.length = 0
    while (!ada.relayed.includes(FRAME.greet)) clock.advance(1)
    clock.advance(20)
    expect(bob.heard.map((text) => text.trim())).toEqual(upTo(6))
  })
})

describe('what was under way', () => {
  it('by a path that closes goes by the relay at once', () => {
    const { ada, bob, clock, ...pair } = withPath()
    const [end] = pair.ends
    end.dark = true
    for (const text of upTo(5)) ada.send(text)
    clock.advance(1)
    end.close()
    clock.advance(25)
    expect(bob.heard).toEqual(upTo(5))
  })

  it('by an uplink that was lost goes by the new one at once', () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    ada.drops = () => true
    for (const text of upTo(5)) ada.send(text)
    clock.advance(1)
    ada.drops = () => false
    ada.link.setRelay(true, true)
    clock.advance(25)
    expect(bob.heard).toEqual(upTo(5))
  })
})

describe('a broadcast that reached the old beginning of a link', () => {
  it('is not handed on again when it comes in the new one, and counts as delivered', async () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    ada.drops = () => true
    ada.send('lost')
    ada.link.cut()
    const sent = ada.send('for all', 'm:other')
    const [small] = ada.outbox.roomStreams
    // As the server forwards it to everyone, while ada believes that bob is away.
    bob.link.receive(small.frame(small.next - 1).slice(), undefined)
    expect(bob.heard).toEqual(['for all'])
    ada.drops = () => false
    clock.advance(5_000)
    ada.send('later', 'm:other')
    clock.advance(100)
    expect(bob.events).toContain('gap')
    expect(bob.heard).toEqual(['for all', 'later'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })
})

function withPath() {
  const pair = new LinkPair()
  pair.clock.advance(100)
  const ends = pair.connect()
  pair.clock.advance(500)
  expect(pair.ada.link.path).toBe('direct')
  return { ada: pair.ada, bob: pair.bob, clock: pair.clock, ends }
}
