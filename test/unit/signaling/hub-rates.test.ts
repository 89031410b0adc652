import { describe, expect, it } from 'vitest'
import { encodeStoreRecord } from '../../../signaling/protocol/record.ts'
import { type Client, concat, envelope, World } from './hub-world.ts'

describe('rates', () => {
  it('let a burst pass, then slow the reading, and lose nothing', () => {
    const world = new World({ options: { messagesPerSecond: 100 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let count = 0; count < 300; count += 1) ada.to(bob, `${count}`)
    world.settle()
    // 200 in a burst, less the join.
    expect(bob.texts()).toHaveLength(199)
    expect(ada.uplink.paused).toBe(true)
    world.clock.advance(500)
    world.settle()
    expect(bob.texts().length).toBeGreaterThan(240)
    expect(bob.texts().length).toBeLessThan(260)
    expect(ada.uplink.paused).toBe(true)
    world.clock.advance(600)
    world.settle()
    expect(bob.texts()).toEqual(Array.from({ length: 300 }, (_, count) => `${count}`))
    expect(ada.uplink.paused).toBe(false)
    expect(ada.messages('error')).toEqual([])
  })

  it('count bytes as well, and never wedge on one message larger than the burst', () => {
    const world = new World({ options: { bytesPerSecond: 10_000 } })
    const [ada, bob] = [world.enter(), world.enter()]
    ada.to(bob, 'x'.repeat(60_000))
    ada.to(bob, 'next')
    world.settle()
    expect(bob.texts()).toHaveLength(1)
    expect(ada.uplink.paused).toBe(true)
    world.clock.advance(3_900)
    expect(bob.texts()).toHaveLength(1)
    world.clock.advance(400)
    world.settle()
    expect(bob.texts()).toHaveLength(2)
    expect(ada.uplink.paused).toBe(false)
  })

  it('count control messages, keep them in order with frames, and hurt nobody else', () => {
    const world = new World({ options: { messagesPerSecond: 10 } })
    const [ada, bob, cy] = [world.enter(), world.enter(), world.enter()]
    for (let n = 0; n < 30; n += 1) ada.say({ t: 'ping', n })
    ada.to(bob, 'frame')
    ada.request({ t: 'leave' })
    expect(ada.messages('pong')).toHaveLength(19)
    cy.to(bob, 'prompt')
    expect(bob.texts()).toEqual(['prompt'])
    world.settle()
    world.clock.advance(1_100)
    expect(ada.messages('pong')).toHaveLength(30)
    world.clock.advance(200)
    world.settle()
    expect(bob.texts()).toEqual(['prompt', 'frame'])
    expect(bob.last('left').id).toBe(ada.id)
    expect(ada.uplink.closedWith?.code).toBe(1000)
  })

  it('close a client that floods a carrier which cannot be paused', () => {
    const world = new World({ options: { messagesPerSecond: 10, holdBytes: 10_000 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let count = 0; count < 200; count += 1) ada.to(bob, 'x'.repeat(100))
    expect(ada.last('error')).toMatchObject({ code: 'rate-limited', fatal: true })
    expect(ada.last('error').retryAfterMs).toBeGreaterThanOrEqual(5_000)
    expect(ada.uplink.closedWith?.code).toBe(4006)
    expect(bob.last('changed')).toMatchObject({ id: ada.id, presence: 'away' })
    expect(bob.uplink.closedWith).toBeUndefined()
    world.settle()
    world.clock.advance(10_000)
    expect(bob.texts()).toHaveLength(19)
  })

  it('close it when the messages have no bytes, too: each counts what holding it costs', () => {
    const world = new World({ options: { messagesPerSecond: 10, holdBytes: 10_240 } })
    const ada = world.enter()
    // 20 in a burst, the join among them, and 40 that are held.
    for (let count = 0; count < 59; count += 1) ada.uplink.receive(new Uint8Array())
    expect(ada.uplink.closedWith).toBeUndefined()
    ada.uplink.receive(new Uint8Array())
    expect(ada.uplink.closedWith?.code).toBe(4006)
  })

  it('follow the member to its next uplink', () => {
    const world = new World({ options: { messagesPerSecond: 10 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let count = 0; count < 19; count += 1) ada.to(bob, 'x')
    ada.uplink.drop()
    const back = world.connect().sameAs(ada)
    back.join({ token: ada.last('welcome').token })
    back.to(bob, 'too fast')
    expect(back.uplink.paused).toBe(true)
    world.settle()
    expect(bob.texts()).toHaveLength(19)
  })

  it('are charged for snapshots, whose answer is so much larger', () => {
    const world = new World({ options: { bytesPerSecond: 20_000, profileBytes: 8_000 } })
    world.enter('lobby', 'x'.repeat(7_000))
    const ada = world.enter()
    for (let count = 0; count < 20; count += 1) ada.request({ t: 'snapshot' })
    expect(ada.messages('snapshot').length).toBeLessThan(7)
    expect(ada.uplink.paused).toBe(true)
  })

  it('are charged for profiles, which everyone must be told, but never for longer than a burst', () => {
    const world = new World({ options: { bytesPerSecond: 20_000 } })
    const others = Array.from({ length: 9 }, () => world.enter())
    const ada = world.enter()
    for (let count = 0; count < 20; count += 1) ada.request({ t: 'profile', profile: `${count}${'x'.repeat(1_000)}` })
    expect(ada.uplink.paused).toBe(true)
    // Ten members, so some 11 KB each of a burst of 40.
    expect(others[0]?.messages('changed')).toHaveLength(4)
    world.clock.advance(4_000)
    expect(others[0]?.messages('changed').length).toBeGreaterThan(5)
    expect(others[0]?.messages('changed').length).toBeLessThan(15)

    const loud = new World({ options: { bytesPerSecond: 5_000, profileBytes: 16_000 } })
    const [bob] = Array.from({ length: 50 }, () => loud.enter())
    bob?.request({ t: 'profile', profile: 'x'.repeat(9_000) })
    bob?.say({ t: 'ping', n: 1 })
    expect(bob?.messages('pong')).toHaveLength(0)
    loud.clock.advance(2_100)
    expect(bob?.messages('pong')).toHaveLength(1)
  })

  it('count deliveries, so that packed frames of no size do not take the whole server', () => {
    const world = new World({ options: { deliveriesPerSecond: 5_000 } })
    const others = Array.from({ length: 20 }, () => world.enter())
    const ada = world.enter()
    const packed = concat(Array.from({ length: 100 }, () => envelope({ kind: 'all' }, '')))
    for (let count = 0; count < 20; count += 1) ada.uplink.receive(packed.slice())
    world.settle()
    // 100 frames to 21 members and four each are 2,500 of a burst of 10,000.
    expect(others[0]?.frames()).toHaveLength(400)
    expect(ada.uplink.paused).toBe(true)
    world.clock.advance(1_100)
    world.settle()
    expect(others[0]?.frames().length).toBeGreaterThan(500)
    expect(others[0]?.frames().length).toBeLessThan(800)
    world.clock.advance(20_000)
    world.settle()
    expect(others[0]?.frames()).toHaveLength(2_000)
  })

  it('count the deliveries of one address together, for as much as four members may, and nobody else waits', () => {
    const world = new World({ options: { deliveriesPerSecond: 5_000 } })
    const many = Array.from({ length: 6 }, () => world.enter())
    for (let member = 0; member < 19; member += 1) world.enter()
    const bob = world.connect('198.51.100.1')
    bob.join({ room: 'lobby' })
    const packed = concat(Array.from({ length: 100 }, () => envelope({ kind: 'all' }, '')))
    const send = (ada: Client): void => ada.uplink.receive(packed.slice())
    for (let count = 0; count < 4; count += 1) for (const ada of many) send(ada)
    // 100 frames to 26 members and four each are 3,000 of a burst of 40,000; each alone would have sent four times.
    expect(world.hub.stats().frames).toBe(1_400)
    expect(many.every(({ uplink }) => uplink.paused)).toBe(true)
    send(bob)
    expect(world.hub.stats().frames).toBe(1_500)
    // A new one at that address has no burst of its own to give.
    send(world.enter())
    world.clock.advance(50)
    expect(world.hub.stats().frames).toBe(1_500)
    world.clock.advance(10_000)
    world.settle()
    expect(world.hub.stats().frames).toBe(2_600)
    expect(many.some(({ uplink }) => uplink.paused)).toBe(false)
  })

  it('never hold a member that uses less than its part of what its address may, whatever others there send', () => {
    // A hundredth of the defaults.
    const world = new World({ options: { deliveriesPerSecond: 20_000, bytesPerSecond: 41_943 } })
    const [ada, ...others] = Array.from({ length: 11 }, () => world.enter())
    const heavy = others.slice(0, 6)
    const packed = concat(Array.from({ length: 100 }, () => envelope({ kind: 'all' }, '')))
    const lines = concat(Array.from({ length: 16 }, () => envelope({ kind: 'all' }, 'x'.repeat(112))))
    // Who has just come has no part yet: it counts as having used 40,000, and earns 80,000 / 11 a second.
    world.clock.advance(5_600)
    for (let n = 1; n <= 160; n += 1) {
      for (const member of heavy) member.uplink.receive(packed.slice())
      ada?.say({ t: 'ping', n })
      ada?.uplink.receive(lines.slice())
      expect(ada?.uplink.paused).toBe(false)
      world.settle()
      world.clock.advance(50)
    }
    expect(ada?.messages('pong')).toHaveLength(160)
    expect(heavy.every(({ uplink }) => uplink.paused && uplink.closedWith === undefined)).toBe(true)
    // Eight seconds and a burst of two, at 80,000 deliveries; a frame to all of eleven is 15.
    expect(world.hub.stats().frames * 15).toBeGreaterThan(700_000)
    expect(world.hub.stats().frames * 15).toBeLessThan(850_000)
  })

  it('count a record that is to be kept as a thousand deliveries, wherever it goes', () => {
    const world = new World({ options: { deliveriesPerSecond: 5_000 } })
    const ada = world.enter()
    const record = { channel: 1, ordinal: 1, name: 'chat', user: undefined, body: new Uint8Array(8) }
    for (let n = 1; n <= 50; n += 1)
      ada.uplink.receive(envelope({ kind: 'store' }, encodeStoreRecord({ ...record, n })))
    expect(world.hub.stats().frames).toBe(10)
    expect(ada.uplink.paused).toBe(true)
    world.clock.advance(2_000)
    expect(world.hub.stats().frames).toBe(20)
    world.clock.advance(10_000)
    expect(world.hub.stats().frames).toBe(50)
    expect(ada.uplink.paused).toBe(false)
  })

  it('forget what a client had sent when it is gone', () => {
    const world = new World({ options: { messagesPerSecond: 10 } })
    const [ada, bob] = [world.enter(), world.enter()]
    for (let count = 0; count < 30; count += 1) ada.to(bob, 'x')
    ada.uplink.drop()
    world.settle()
    world.clock.advance(10_000)
    expect(bob.texts()).toHaveLength(19)
  })
})
