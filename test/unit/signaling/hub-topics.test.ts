import { describe, expect, it } from 'vitest'
import type { Topics } from '../../../signaling/uplink.ts'
import { FakeUplink } from '../../support/fake-uplink.ts'
import { Client, concat, envelope, World, type WorldParts } from './hub-world.ts'

/** Topics as uWebSockets.js has them, with what went over them counted. */
class FakeTopics {
  readonly subscribers = new Map<string, Set<FakeUplink>>()
  published = 0

  of(uplink: FakeUplink): Topics {
    const on = (topic: string): Set<FakeUplink> => {
      const known = this.subscribers.get(topic) ?? new Set()
      this.subscribers.set(topic, known)
      return known
    }
    return {
      subscribe: (topic) => void on(topic).add(uplink),
      unsubscribe: (topic) => void on(topic).delete(uplink),
      publish: (topic, bytes) => {
        if (!on(topic).has(uplink)) throw new Error('only subscribers publish')
        this.published += 1
        for (const other of on(topic)) if (other !== uplink) other.send(bytes)
      },
    }
  }

  get heard(): number {
    return [...this.subscribers.values()].reduce((sum, { size }) => sum + size, 0)
  }
}

class TopicUplink extends FakeUplink {
  readonly topics: Topics
  constructor(topics: FakeTopics) {
    super()
    this.topics = topics.of(this)
  }
}

function crowd(size: number, parts: WorldParts = {}) {
  const world = new World(parts)
  const topics = new FakeTopics()
  const enter = (uplink: FakeUplink = new TopicUplink(topics)): Client => {
    uplink.attach(world.hub.accept(uplink))
    const client = new Client(uplink, world.random)
    client.join()
    return client
  }
  const members = Array.from({ length: size }, () => enter())
  const [ada, bob, cy] = members
  if (ada === undefined || bob === undefined || cy === undefined) throw new Error('too few')
  return { world, topics, enter, members, ada, bob, cy }
}

describe('a room of many whose carriers have topics', () => {
  it('is told in one call; everyone but the sender hears it once, in order with what is for one', () => {
    const { world, topics, members, ada, bob, cy } = crowd(10)
    ada.all('1')
    ada.to(cy, 'only you')
    world.settle()
    bob.all('2')
    expect(topics.published).toBe(2)
    expect(ada.texts()).toEqual(['2'])
    expect(bob.texts()).toEqual(['1'])
    expect(cy.texts()).toEqual(['1', 'only you', '2'])
    expect(cy.frames().map(({ from }) => from)).toEqual([ada.id, ada.id, bob.id])
    for (const other of members.slice(3)) expect(other.texts()).toEqual(['1', '2'])
    expect(world.hub.stats()).toMatchObject({ frames: 3, deliveries: 19 })
  })

  it('of few is told one by one', () => {
    const { topics, ada, bob } = crowd(5)
    ada.all('1')
    expect(topics.published).toBe(0)
    expect(bob.texts()).toEqual(['1'])
  })

  it('reaches those who come later, by whatever carrier, and those who come back', () => {
    const { world, topics, enter, ada, bob } = crowd(8)
    ada.all('1')
    const late = enter()
    const plain = enter(new FakeUplink())
    ada.all('2')
    bob.uplink.drop()
    world.settle()
    ada.all('3')
    world.settle()
    world.clock.advance(100)
    expect(ada.last('dropped')).toMatchObject({ to: [bob.id], reason: 'absent' })
    const again = new TopicUplink(topics)
    again.attach(world.hub.accept(again))
    const back = new Client(again, world.random).sameAs(bob)
    back.join({ token: bob.last('welcome').token })
    ada.all('4')
    world.settle()
    expect(topics.published).toBe(4)
    expect(late.texts()).toEqual(['2', '3', '4'])
    expect(plain.texts()).toEqual(['2', '3', '4'])
    expect(bob.texts()).toEqual(['1', '2'])
    expect(back.texts()).toEqual(['4'])
  })

  it('does not overtake what is being gathered for one of them', () => {
    const { world, topics, ada, bob, cy } = crowd(8)
    ada.to(cy, '1')
    bob.to(cy, '2')
    ada.all('3')
    expect(topics.published).toBe(0)
    world.settle()
    expect(cy.texts()).toEqual(['1', '2', '3'])
    ada.all('4')
    expect(topics.published).toBe(1)
    expect(cy.texts()).toEqual(['1', '2', '3', '4'])
  })

  it('hears all frames of one message in one message', () => {
    const { topics, ada, bob, cy } = crowd(8)
    ada.uplink.receive(
      concat([
        envelope({ kind: 'one', id: cy.id }, '1'),
        envelope({ kind: 'all' }, '2'),
        envelope({ kind: 'all' }, '3'),
      ]),
    )
    expect(topics.published).toBe(0)
    expect(bob.packets()).toEqual([['2', '3']])
    expect(cy.packets()).toEqual([['1', '2', '3']])
  })

  it('gives no frame to those who are excepted', () => {
    const { topics, ada, bob, cy } = crowd(8)
    ada.send({ kind: 'except', ids: [bob.id] }, '1')
    ada.send({ kind: 'except', ids: [] }, '2')
    expect(topics.published).toBe(1)
    expect(bob.texts()).toEqual(['2'])
    expect(cy.texts()).toEqual(['1', '2'])
  })

  it('sets a reader that does not read apart, bounds what waits for it, tells its senders, and takes it back', () => {
    const { world, topics, ada, bob, cy } = crowd(8, { options: { slowReaderBytes: 4_096 } })
    ada.all('first')
    bob.uplink.stall()
    const text = 'x'.repeat(100)
    for (let count = 0; count < 200; count += 1) {
      ada.all(text)
      world.settle()
    }
    expect(topics.heard).toBe(7)
    // What was published before anybody looked, and the bound.
    expect(bob.uplink.queue.length).toBeLessThanOrEqual(64)
    expect(world.hub.stats().droppedSlow).toBeGreaterThan(50)
    world.clock.advance(100)
    expect(ada.last('dropped')).toMatchObject({ to: [bob.id], reason: 'slow' })
    expect(cy.texts()).toHaveLength(201)

    bob.uplink.drain()
    const before = bob.texts().length
    for (let count = 0; count < 100; count += 1) {
      ada.all(`${count}`)
      world.settle()
    }
    expect(bob.texts().slice(before)).toEqual(Array.from({ length: 100 }, (_, count) => `${count}`))
    expect(topics.heard).toBe(8)
  })

  it('closes a reader that takes nothing of what was published for 10 s', () => {
    const { world, ada, bob } = crowd(8)
    ada.all('first')
    bob.uplink.stall()
    for (let count = 0; count < 70; count += 1) ada.all('x')
    world.settle()
    world.clock.advance(12_600)
    expect(bob.uplink.closedWith?.code).toBe(4004)
  })

  it('is gathered under load', () => {
    const { world, topics, ada, bob } = crowd(8, { options: { gatherMs: 3, gatherAbovePerMs: 4 } })
    for (let ms = 0; ms < 60; ms += 1) {
      for (let count = 0; count < 4; count += 1) ada.all('x')
      world.endTurn()
      world.clock.advance(1)
    }
    world.settle()
    world.clock.advance(3)
    expect(bob.texts()).toHaveLength(240)
    expect(topics.published).toBeLessThan(200)
    expect(Math.max(...bob.packets().map(({ length }) => length))).toBeGreaterThan(8)
  })
})
