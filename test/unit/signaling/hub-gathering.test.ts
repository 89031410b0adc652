import { describe, expect, it } from 'vitest'
import { type Client, concat, envelope, World } from './hub-world.ts'

const all = (text: string): Uint8Array => envelope({ kind: 'all' }, text)

/** What arrived, in order: control messages by name, binary messages as the texts in them. */
function sequence(client: Client): (string | string[])[] {
  return client.received().map((message) => ('t' in message ? message.t : message.map((frame) => frame.text)))
}

describe('gathering', () => {
  it('sends the first frame for an idle receiver at once, the others of the turn in one write at its end', () => {
    const world = new World()
    const [ada, bob, cy] = [world.enter(), world.enter(), world.enter()]
    ada.all('1')
    expect(cy.packets()).toEqual([['1']])
    bob.all('2')
    ada.all('3')
    expect(cy.packets()).toEqual([['1']])
    world.endTurn()
    expect(cy.packets()).toEqual([['1'], ['2', '3']])
    expect(ada.packets()).toEqual([['2']])
    expect(bob.packets()).toEqual([['1'], ['3']])
    // The write at the end of the turn counts for the turn that began with it.
    ada.all('4')
    expect(cy.packets()).toHaveLength(2)
    world.settle()
    world.clock.advance(1)
    ada.all('5')
    expect(cy.packets()).toEqual([['1'], ['2', '3'], ['4'], ['5']])
  })

  it('sends all frames of one message to one receiver in one message, at once', () => {
    const world = new World()
    const [ada, bob, cy] = [world.enter(), world.enter(), world.enter()]
    ada.uplink.receive(
      concat([
        all('1'),
        envelope({ kind: 'one', id: cy.id }, '2'),
        envelope({ kind: 'several', ids: [cy.id, bob.id] }, '3'),
        all('4'),
        envelope({ kind: 'one', id: bob.id }, '5'),
      ]),
    )
    expect(bob.packets()).toEqual([['1', '3', '4', '5']])
    expect(cy.packets()).toEqual([['1', '2', '3', '4']])
  })

  it('does not gather large frames', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    const large = 'x'.repeat(5_000)
    ada.all('1')
    ada.all('2')
    ada.all(large)
    ada.all(large)
    expect(bob.packets()).toEqual([['1'], ['2', large], [large]])
  })

  it('never writes more than a packet', () => {
    const world = new World({ options: { packetBytes: 1_000 } })
    const [ada, bob] = [world.enter(), world.enter()]
    const text = 'x'.repeat(400)
    for (let count = 0; count < 6; count += 1) ada.all(text)
    // A full packet does not wait for the end of the turn: no more than one is held.
    expect(bob.packets()).toEqual([[text], [text, text], [text, text]])
    world.settle()
    expect(bob.packets()).toEqual([[text], [text, text], [text, text], [text]])
  })

  it('gathers for some ms while the server is loaded, and no longer than that', () => {
    const world = new World({ options: { gatherMs: 3, gatherAbovePerMs: 1 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let ms = 0; ms < 40; ms += 1) {
      for (let count = 0; count < 4; count += 1) ada.all('x')
      world.endTurn()
      world.clock.advance(1)
    }
    expect(world.hub.stats().loaded).toBe(true)
    expect(bob.packets().at(-2)).toHaveLength(12)
    world.settle()
    world.clock.advance(1_000)
    expect(bob.texts()).toHaveLength(160)
    // Idle again: the first frame goes at once.
    const before = bob.packets().length
    ada.all('y')
    expect(bob.packets()).toHaveLength(before + 1)
    world.clock.advance(3)
    expect(world.hub.stats().loaded).toBe(false)
    expect(world.clock.pending()).toBe(0)
  })

  it('notices load of which nothing has to wait', () => {
    const world = new World({ options: { gatherMs: 3, gatherAbovePerMs: 0.5 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let ms = 0; ms < 20; ms += 1) {
      world.clock.advance(1)
      ada.uplink.receive(envelope({ kind: 'one', id: bob.id }, String(ms)))
    }
    expect(bob.texts().slice(0, 16)).toHaveLength(16)
    expect(world.hub.stats().loaded).toBe(true)
    world.clock.advance(1_000)
    expect(bob.texts()).toHaveLength(20)
    expect(world.hub.stats().loaded).toBe(false)
    expect(world.clock.pending()).toBe(0)
  })

  it('keeps frames and membership in order: joined before the first frame, left behind the last', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.all('1')
    bob.all('2')
    const cy = world.enter()
    cy.all('3')
    cy.all('4')
    cy.request({ t: 'profile', profile: 'c' })
    cy.all('5')
    cy.request({ t: 'leave' })
    world.settle()
    expect(sequence(ada)).toEqual(['welcome', 'joined', ['1'], ['2'], 'joined', ['3', '4'], 'changed', ['5'], 'left'])
  })

  it('keeps the same order towards a receiver that is blocked', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    ada.uplink.stall()
    bob.all('1')
    bob.all('2')
    const cy = world.enter()
    cy.all('3')
    cy.all('4')
    cy.request({ t: 'leave' })
    bob.all('5')
    ada.uplink.drain()
    world.settle()
    expect(sequence(ada)).toEqual(['welcome', 'joined', ['1'], ['2'], 'joined', ['3', '4'], 'left', ['5']])
  })

  it('keeps the order of one message in the middle of which the receiver becomes blocked', () => {
    const world = new World({ options: { packetBytes: 1_000 } })
    const [ada, bob, cy] = [world.enter(), world.enter(), world.enter()]
    ada.all('1')
    ada.all('2'.repeat(400))
    bob.uplink.stall()
    ada.uplink.receive(
      concat([
        all('3'.repeat(600)),
        envelope({ kind: 'one', id: cy.id }, 'cy'),
        all('4'),
        envelope({ kind: 'one', id: cy.id }, 'cy'),
        all('5'),
        envelope({ kind: 'several', ids: [bob.id, cy.id] }, '6'),
        all('7'),
      ]),
    )
    bob.uplink.drain()
    world.settle()
    expect(bob.texts().map((text) => text[0])).toEqual(['1', '2', '3', '4', '5', '6', '7'])
  })

  it('sends what was gathered before it says good-bye', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    ada.all('1')
    ada.all('2')
    bob.request({ t: 'leave' })
    expect(sequence(bob)).toEqual(['welcome', ['1'], ['2'], 'ok', 'bye'])
    world.settle()
    expect(world.defects).toEqual([])
  })

  it('counts writes and deliveries', () => {
    const world = new World()
    const [ada] = [world.enter(), world.enter(), world.enter()]
    const { writes } = world.hub.stats()
    for (let count = 0; count < 10; count += 1) ada?.all('x')
    world.settle()
    expect(world.hub.stats()).toMatchObject({ frames: 10, frameBytes: 10, deliveries: 20, writes: writes + 4 })
  })
})
