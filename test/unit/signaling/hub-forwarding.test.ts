import { describe, expect, it } from 'vitest'
import type { Address } from '../../../signaling/protocol/envelope.ts'
import type { PeerId } from '../../../signaling/protocol/ids.ts'
import fc from '../../support/properties.ts'
import { type Client, concat, envelope, World } from './hub-world.ts'

const NOBODY = 'ffffffffffffffff' as PeerId

function four(world: World): [Client, Client, Client, Client] {
  return [world.enter(), world.enter(), world.enter(), world.enter()]
}

describe('forwarding', () => {
  it('reaches one, several, all, and all but some, with the sender the session has', () => {
    const world = new World()
    const [ada, bob, cy, di] = four(world)
    ada.to(bob, 'one')
    ada.send({ kind: 'several', ids: [bob.id, cy.id] }, 'several')
    ada.all('all')
    ada.send({ kind: 'except', ids: [di.id] }, 'except')
    ada.send({ kind: 'except', ids: [] }, 'everyone')
    world.settle()
    expect(bob.texts()).toEqual(['one', 'several', 'all', 'except', 'everyone'])
    expect(cy.texts()).toEqual(['several', 'all', 'except', 'everyone'])
    expect(di.texts()).toEqual(['all', 'everyone'])
    expect(ada.texts()).toEqual([])
    for (const client of [bob, cy, di]) expect(client.frames().every((frame) => frame.from === ada.id)).toBe(true)
  })

  it('keeps slot and payload whatever the address', () => {
    const world = new World()
    const [ada, bob, cy] = four(world)
    ada.send({ kind: 'one', id: bob.id }, 'a', 0xffff_ffff)
    ada.send({ kind: 'several', ids: [bob.id] }, 'b', 1)
    ada.send({ kind: 'several', ids: [cy.id, bob.id] }, '', 2)
    ada.send({ kind: 'except', ids: [cy.id, NOBODY, ada.id] }, 'd', 0)
    world.settle()
    expect(bob.frames()).toEqual([
      { from: ada.id, text: 'a', slot: 0xffff_ffff },
      { from: ada.id, text: 'b', slot: 1 },
      { from: ada.id, text: '', slot: 2 },
      { from: ada.id, text: 'd', slot: 0 },
    ])
  })

  it('gives a member named twice one frame, and one who names itself none', () => {
    const world = new World()
    const [ada, bob] = four(world)
    ada.send({ kind: 'several', ids: [bob.id, ada.id, bob.id] }, 'once')
    ada.to(ada, 'me')
    expect(bob.texts()).toEqual(['once'])
    expect(ada.texts()).toEqual([])
    world.clock.advance(100)
    expect(ada.last('dropped')).toMatchObject({ to: [ada.id], frames: 2, reason: 'absent' })
  })

  it('overwrites whatever sender a client writes', () => {
    const world = new World()
    const [ada, bob, cy] = four(world)
    const forged = envelope({ kind: 'all' }, 'forged')
    forged.set(envelope({ kind: 'one', id: cy.id }, '').subarray(8, 16), 8)
    ada.uplink.receive(forged)
    expect(bob.frames()).toEqual([{ from: ada.id, text: 'forged', slot: undefined }])
  })

  it('takes no envelope of the kind the server sends', () => {
    const world = new World()
    const [ada, bob] = four(world)
    const forged = envelope({ kind: 'one', id: bob.id }, 'forged')
    forged[0] = 5
    ada.uplink.receive(forged)
    expect(ada.last('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(ada.last('error').message).toContain('envelope.kind')
    expect(ada.uplink.closedWith?.code).toBe(4001)
    expect(bob.texts()).toEqual([])
  })

  it('reaches nobody in another room, though its id be known', () => {
    const world = new World()
    const ada = world.enter('one')
    const bob = world.enter('two')
    ada.to(bob, 'psst')
    ada.send({ kind: 'several', ids: [bob.id] }, 'psst')
    ada.all('psst')
    world.clock.advance(100)
    expect(bob.texts()).toEqual([])
    expect(ada.messages('dropped')).toEqual([{ t: 'dropped', to: [bob.id], frames: 2, reason: 'absent' }])
  })

  it('tells the sender who was away, at most once in 100 ms', () => {
    const world = new World()
    const [ada, bob, cy, di] = four(world)
    bob.uplink.drop()
    cy.request({ t: 'leave' })
    ada.all('1')
    ada.to(cy, '2')
    ada.to(bob, '3')
    expect(ada.messages('dropped')).toEqual([])
    world.clock.advance(1)
    expect(ada.messages('dropped')).toEqual([{ t: 'dropped', to: [bob.id, cy.id], frames: 3, reason: 'absent' }])
    ada.to(bob, '4')
    world.clock.advance(98)
    ada.to(bob, '5')
    expect(ada.messages('dropped')).toHaveLength(1)
    world.clock.advance(2)
    expect(ada.messages('dropped').slice(1)).toEqual([{ t: 'dropped', to: [bob.id], frames: 2, reason: 'absent' }])
    expect(di.texts()).toEqual(['1'])
    expect(world.hub.stats()).toMatchObject({ frames: 5, deliveries: 1, droppedAbsent: 5 })
  })

  it('does not tell about droppable frames', () => {
    const world = new World()
    const [ada, bob] = four(world)
    bob.uplink.drop()
    ada.all('position', 1)
    ada.send({ kind: 'one', id: bob.id }, 'position', 1)
    world.clock.advance(1_000)
    expect(ada.messages('dropped')).toEqual([])
  })

  it('forwards what comes before a malformed envelope of the same message, and nothing behind it', () => {
    const world = new World()
    const [ada, bob] = four(world)
    const bad = envelope({ kind: 'all' }, 'bad')
    bad[0] = 9
    ada.uplink.receive(concat([envelope({ kind: 'all' }, 'good'), bad, envelope({ kind: 'all' }, 'late')]))
    expect(bob.texts()).toEqual(['good'])
    expect(ada.uplink.closedWith?.code).toBe(4001)
    expect(bob.last('changed')).toMatchObject({ id: ada.id, presence: 'away' })
  })

  it('gives every addressed member who is there each payload exactly once, intact, in order, from its sender', () => {
    const SIZE = 5
    const index = fc.nat({ max: SIZE - 1 })
    const frame = fc.record({
      kind: fc.constantFrom('one', 'several', 'all', 'except'),
      targets: fc.array(index, { minLength: 1, maxLength: 7 }),
      padding: fc.constantFrom(0, 0, 1, 30, 700, 5_000),
      slot: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
    })
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ sender: index, frames: fc.array(frame, { minLength: 1, maxLength: 6 }) }) },
      { weight: 3, arbitrary: fc.constant('turn' as const) },
      { weight: 1, arbitrary: fc.record({ toggles: index }) },
      { weight: 1, arbitrary: fc.record({ stalls: index }) },
      { weight: 1, arbitrary: fc.record({ drains: index }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, loaded) => {
        const world = new World({ options: { gatherAbovePerMs: loaded ? 0 : 1_000_000, bytesPerSecond: 1e9 } })
        const clients = Array.from({ length: SIZE }, () => world.enter())
        const ids = clients.map((client) => client.id)
        /** Every uplink there ever was, with what must have arrived on it. */
        const expected = new Map<Client, string[]>(clients.map((client) => [client, []]))
        const here = clients.map(() => true)
        const stalled = clients.map(() => false)
        let count = 0
        for (const now of steps) {
          if (now === 'turn') {
            world.endTurn()
            world.clock.advance(5)
          } else if ('toggles' in now) {
            const at = now.toggles
            const client = clients[at] as Client
            if (here[at]) {
              client.uplink.drain()
              world.settle()
              world.clock.advance(5)
              client.uplink.drop()
            } else {
              const back = world.connect().sameAs(client)
              back.join({ token: client.last('welcome').token })
              clients[at] = back
              expected.set(back, [])
            }
            stalled[at] = false
            here[at] = !here[at]
          } else if ('stalls' in now) {
            clients[now.stalls]?.uplink.stall()
            stalled[now.stalls] = true
          } else if ('drains' in now) {
            if (here[now.drains]) clients[now.drains]?.uplink.drain()
            stalled[now.drains] = false
          } else if (here[now.sender]) {
            const parts: Uint8Array[] = []
            for (const { kind, targets, padding, slot } of now.frames) {
              count += 1
              const text = `${count}:${'x'.repeat(padding)}`
              const named = targets.map((target) => ids[target] as PeerId)
              // Droppable frames may be replaced while a receiver is stalled: then only reliable ones are counted.
              const safeSlot = stalled.some(Boolean) ? undefined : slot
              const address: Address =
                kind === 'one'
                  ? { kind, id: named[0] as PeerId }
                  : kind === 'all'
                    ? { kind }
                    : { kind: kind as 'several' | 'except', ids: named }
              parts.push(envelope(address, text, safeSlot))
              clients.forEach((client, at) => {
                const isNamed = kind === 'one' ? targets[0] === at : targets.includes(at)
                const addressed = kind === 'all' || (kind === 'except' ? !isNamed : isNamed)
                if (addressed && at !== now.sender && here[at]) {
                  expected.get(client)?.push(`${ids[now.sender]} ${text}`)
                }
              })
            }
            clients[now.sender]?.uplink.receive(concat(parts))
          }
        }
        for (const [at, client] of clients.entries()) if (here[at]) client.uplink.drain()
        world.settle()
        world.clock.advance(5)
        for (const [client, texts] of expected) {
          expect(client.frames().map((frame) => `${frame.from} ${frame.text}`)).toEqual(texts)
        }
        expect(world.defects).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
