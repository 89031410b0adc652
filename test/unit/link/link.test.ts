import { describe, expect, it } from 'vitest'
import { encodePing, FRAME, frameType } from '../../../signaling/protocol/index.ts'
import type { OutgoingMessage } from '../../../web/client/delivery/outgoing-message.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'
import { LinkPair } from './link-pair.ts'

const upTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
const isGreeting = (frame: Uint8Array): boolean => frameType(frame) === FRAME.greet

describe('a link', () => {
  it('carries the first message beside its greeting: nobody waits for a round trip', () => {
    const { ada, bob, clock } = new LinkPair()
    ada.send('hello')
    clock.advance(20)
    expect(bob.heard).toEqual(['hello'])
  })

  it('holds what overtakes the greeting, and repeats a greeting that was lost', async () => {
    const { ada, bob, clock } = new LinkPair()
    const late = new LinkPair({ begin: false })
    late.ada.drops = isGreeting
    late.ada.begin()
    late.bob.begin()
    const sent = late.ada.send('hello')
    late.clock.advance(100)
    expect(late.bob.heard).toEqual([])
    late.ada.drops = () => false
    late.clock.advance(1_000)
    expect(late.bob.heard).toEqual(['hello'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
    // Confirmed greetings are said once.
    clock.advance(10_000)
    expect([ada, bob].map(({ relayed }) => relayed.filter((type) => type === FRAME.greet).length)).toEqual([1, 1])
  })

  it('holds at most 64 KiB before the greeting, and gets the rest again', () => {
    const pair = new LinkPair({ begin: false })
    const { ada, bob, clock } = pair
    ada.drops = isGreeting
    ada.begin()
    bob.begin()
    for (const text of upTo(20)) ada.send(text.padEnd(10_000))
    clock.advance(100)
    ada.drops = () => false
    clock.advance(20_000)
    expect(bob.heard.map((text) => text.trim())).toEqual(upTo(20))
  })

  it('goes over to a direct path when a ping on it was answered, and back when it goes silent', async () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(100)
    const [end] = pair.connect()
    expect(ada.link.path).toBe('relay')
    clock.advance(50)
    expect([ada.link.path, bob.link.path]).toEqual(['direct', 'direct'])
    ada.send('direct')
    clock.advance(10)
    expect(bob.heard).toEqual(['direct'])
    end.dark = true
    const sent = ada.send('hedged')
    clock.advance(400)
    expect(bob.heard).toEqual(['direct', 'hedged'])
    clock.advance(2_000)
    expect(ada.link.path).toBe('relay')
    expect(ada.link.suspended).toBe(true)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
    end.dark = false
    clock.advance(3_000)
    expect(ada.link.path).toBe('direct')
  })

  it('speaks of itself on a lane of its own, and does not leave a path on which messages only wait', async () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(100)
    const ends = pair.connect()
    clock.advance(1_000)
    ada.send('warm')
    bob.send('warm')
    clock.advance(1_000)
    for (const { types } of ends) {
      expect([...new Set(types.get('small'))]).toEqual([FRAME.data])
      expect(types.get('control')).toEqual(expect.arrayContaining([FRAME.ping, FRAME.pong, FRAME.ack]))
    }
    ada.events.length = 0
    const relayed = ada.relayed.length
    ends[0].busy(8_000)
    const sent = upTo(50).map((text) => ada.send(text))
    clock.advance(7_990)
    expect(bob.heard).toEqual(['warm'])
    clock.advance(100)
    expect(bob.heard).toEqual(['warm', ...upTo(50)])
    expect(await outcomeOf((sent[49] as OutgoingMessage).delivered)).toEqual({ to: ['bob'], missed: new Map() })
    expect(ada.events).toEqual([])
    expect(ada.relayed.length).toBe(relayed)
    expect(ada.link.sender.retransmissions).toBe(0)
  })

  it('is acknowledged by the way its frames came, though the receiver still trusts a path that is dead', () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(100)
    const ends = pair.connect()
    clock.advance(4_000)
    for (const end of ends) end.dark = true
    ada.send('hedged')
    clock.advance(1_000)
    expect(bob.heard).toEqual(['hedged'])
    expect(ada.link.sender.quiet).toBe(true)
  })

  it('acknowledges a repeat at once, however long it may wait otherwise', () => {
    const { ada, bob, clock } = new LinkPair()
    bob.ackDelayMs = 400
    clock.advance(100)
    bob.drops = (frame) => frameType(frame) === FRAME.ack
    ada.send('hello')
    clock.advance(500)
    bob.drops = () => false
    const before = bob.relayed.length
    for (let ms = 0; ms < 5_000 && bob.link.duplicates === 0; ms += 1) clock.advance(1)
    expect(bob.relayed.slice(before)).toContain(FRAME.ack)
    clock.advance(20)
    expect(ada.link.sender.quiet).toBe(true)
  })

  it('says again what an acknowledgement would have said for which there was no room', () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    bob.full = true
    ada.send('hello')
    clock.advance(25)
    bob.full = false
    clock.advance(60)
    expect(bob.heard).toEqual(['hello'])
    expect(ada.link.sender.quiet).toBe(true)
    expect(bob.link.duplicates).toBe(0)
  })

  it('gives up a path that stays silent', () => {
    const pair = new LinkPair()
    const { ada, clock } = pair
    clock.advance(100)
    for (const end of pair.connect()) end.dark = true
    clock.advance(50)
    expect(ada.link.path).toBe('relay')
    const alive = pair.connect()
    clock.advance(500)
    expect(ada.link.path).toBe('direct')
    for (const end of alive) end.dark = true
    clock.advance(15_000)
    expect(ada.events).toContain('gave up')
  })

  it('answers a ping on the path it came by', () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(100)
    const before = bob.relayed.length
    bob.link.receive(encodePing(7, false), undefined)
    expect(bob.relayed.slice(before)).toEqual([FRAME.pong])
    const [, end] = pair.connect()
    clock.advance(100)
    const sent = end.sent
    bob.link.receive(encodePing(8, false), end.watched)
    expect(end.sent).toBe(sent + 1)
    expect(ada.events).toContain('proven')
  })

  it('rests while there is no way to the member, whatever is due', () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(1_000)
    for (const text of upTo(3)) ada.send(text)
    clock.advance(20)
    bob.link.setRelay(false, false)
    for (const text of upTo(3)) ada.send(text)
    let rings = 0
    const { setTimeout } = clock
    clock.setTimeout = (run, ms) =>
      setTimeout.call(
        clock,
        () => {
          rings += 1
          run()
        },
        ms,
      )
    ada.link.setRelay(false, false)
    clock.advance(60_000)
    expect(rings).toBeLessThan(50)
    clock.setTimeout = setTimeout
    ada.link.setRelay(true, false)
    bob.link.setRelay(true, false)
    clock.advance(3_000)
    expect(bob.heard.length).toBe(6)
    expect(ada.link.sender.quiet).toBe(true)
  })

  it('drops frames that make no sense, and goes on', () => {
    const pair = new LinkPair()
    const { ada, bob, clock } = pair
    clock.advance(100)
    for (const bytes of [[], [0], [2 << 5], [5 << 5, 1, 2], [7 << 5, 255]])
      bob.link.receive(new Uint8Array(bytes), undefined)
    expect(bob.link.badFrames).toBeGreaterThan(2)
    ada.send('hello')
    clock.advance(50)
    expect(bob.heard).toEqual(['hello'])
  })

  it('passes over a signal that it does not know, so that those after it are heard', () => {
    const { ada, bob, clock } = new LinkPair()
    ada.signal('{"t":"of a later version"}')
    ada.signal('not JSON')
    ada.signal('{"t":"slot"}')
    clock.advance(100)
    expect(bob.signals).toEqual([{ t: 'slot' }])
  })
})

describe('a member that is cut off', () => {
  it('is told of a gap, and hears everything from there on', async () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    ada.drops = () => true
    const lost = ada.send('lost')
    clock.advance(25_000)
    expect(await outcomeOf(lost.delivered)).toEqual({ to: ['bob'], missed: new Map([['bob', 'lagging']]) })
    const sent = ada.send('after')
    ada.drops = () => false
    clock.advance(6_000)
    expect(bob.events).toContain('gap')
    expect(bob.heard).toEqual(['after'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('loses nothing that was sent after, though the new greeting is late and frames are not', async () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    ada.drops = () => true
    ada.send('lost')
    ada.link.cut()
    ada.drops = isGreeting
    const sent = upTo(10).map((text) => ada.send(text))
    clock.advance(2_000)
    ada.drops = () => false
    clock.advance(10_000)
    expect(bob.heard).toEqual(upTo(10))
    for (const { delivered } of sent) expect(await outcomeOf(delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('is told of the gap also when it had heard nothing before', () => {
    const { ada, bob, clock } = new LinkPair({ begin: false })
    ada.drops = () => true
    ada.begin()
    bob.begin()
    ada.send('lost')
    clock.advance(25_000)
    ada.drops = () => false
    clock.advance(6_000)
    expect(bob.events).toContain('gap')
  })

  it('still knows the names of latest channels', () => {
    const { ada, bob, clock } = new LinkPair()
    const channel = ada.outbox.openChannel('l:pos')
    channel.roomOpened = true
    ada.link.cut()
    clock.advance(1_000)
    const frame = new Uint8Array([7 << 5, channel.id, 0, 0, 0, 1, 0, 0, 0, 0, 49])
    bob.link.receive(frame, undefined)
    expect(bob.events).toContain('latest l:pos')
  })
})

describe('a member that one side took for gone', () => {
  it('begins anew on both sides, and nothing is heard twice or lost', async () => {
    const { ada, bob, clock } = new LinkPair()
    ada.send('before')
    clock.advance(100)
    ada.relink('left')
    const sent = upTo(20).map((text) => ada.send(text))
    const back = bob.send('from bob')
    clock.advance(10_000)
    expect(bob.events.filter((event) => event === 'forgotten')).toEqual(['forgotten'])
    expect(ada.events).not.toContain('forgotten')
    expect(bob.heard).toEqual(['before', ...upTo(20)])
    for (const { delivered } of sent) expect(await outcomeOf(delivered)).toEqual({ to: ['bob'], missed: new Map() })
    expect(await outcomeOf(back.delivered)).toEqual({ to: ['ada'], missed: new Map([['ada', 'left']]) })
    expect(ada.heard).toEqual([])
    bob.send('again')
    clock.advance(1_000)
    expect(ada.heard).toEqual(['again'])
  })

  it('is not sent to before it has confirmed, so that its old receiver takes nothing', async () => {
    const { ada, bob, clock } = new LinkPair()
    ada.send('before')
    clock.advance(100)
    ada.drops = isGreeting
    ada.relink('left')
    const sent = ada.send('after')
    clock.advance(1_000)
    expect(bob.heard).toEqual(['before'])
    ada.drops = () => false
    clock.advance(10_000)
    expect(bob.heard).toEqual(['before', 'after'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('by both sides at once', () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    ada.relink('left')
    bob.relink('left')
    ada.send('a')
    bob.send('b')
    clock.advance(10_000)
    expect([ada.heard, bob.heard]).toEqual([['b'], ['a']])
  })

  it('has reported everything when the link ends, and leaves no timer', async () => {
    const { ada, bob, clock } = new LinkPair()
    clock.advance(100)
    const sent = ada.send('hello')
    ada.link.end('left')
    bob.link.end('left')
    clock.advance(100)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map([['bob', 'left']]) })
    expect(clock.pending()).toBe(0)
  })
})
