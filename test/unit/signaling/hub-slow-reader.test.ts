import { describe, expect, it } from 'vitest'
import { HUB_DEFAULTS } from '../../../signaling/limits/hub-options.ts'
import { RIGHTS } from '../../../signaling/protocol/access.ts'
import { LIMITS } from '../../../signaling/protocol/limits.ts'
import { type Client, World } from './hub-world.ts'

const KIB = 'x'.repeat(1_000)

/** Ada sends, Bob does not read, Cy does. */
function stalledRoom(options: object = {}): { world: World; ada: Client; bob: Client; cy: Client } {
  const world = new World({ options: { messagesPerSecond: 1e6, bytesPerSecond: 1e9, ...options } })
  const [ada, bob, cy] = [world.enter(), world.enter(), world.enter()] as const
  bob.uplink.stall()
  return { world, ada, bob, cy }
}

describe('a slow reader', () => {
  it('gets what waited, in order, in few messages, when it reads again', () => {
    const { world, ada, bob } = stalledRoom()
    for (let count = 0; count < 500; count += 1) ada.all(`${count}`)
    world.settle()
    // The carrier is given one write; the rest waits where it can still be replaced.
    expect(bob.uplink.queue).toHaveLength(1)
    bob.uplink.drain()
    expect(bob.texts()).toEqual(Array.from({ length: 500 }, (_, count) => `${count}`))
    expect(bob.packets()).toHaveLength(2)
  })

  it('has frames beyond its bound dropped, its senders told, and nobody else hurt', () => {
    const { world, ada, bob, cy } = stalledRoom({ slowReaderBytes: 20_000 })
    for (let count = 0; count < 50; count += 1) ada.all(KIB)
    world.settle()
    world.clock.advance(100)
    const [dropped, ...more] = ada.messages('dropped')
    expect(dropped).toMatchObject({ to: [bob.id], reason: 'slow' })
    expect(more).toEqual([])
    expect(cy.texts()).toHaveLength(50)
    bob.uplink.drain()
    expect(bob.texts()).toHaveLength(50 - (dropped?.frames ?? 0))
    expect(bob.texts().length).toBeGreaterThan(15)
    expect(world.hub.stats().droppedSlow).toBe(dropped?.frames)
    ada.all('after')
    world.settle()
    expect(bob.texts().at(-1)).toBe('after')
  })

  it('is not what somebody is whose connection has broken and is about to say so', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter(), world.enter()] as const
    bob.uplink.closedWith = { code: 1006, reason: '' }
    ada.all('1')
    world.settle()
    ada.all('2')
    world.settle()
    const stats = world.hub.stats()
    expect(stats.closed).toEqual({})
    expect(stats).toMatchObject({ droppedSlow: 0, droppedAbsent: 1, away: 1, connections: 2 })
    expect(world.defects).toEqual([])
  })

  it('still gets control messages beyond that bound', () => {
    const { world, ada, bob } = stalledRoom({ slowReaderBytes: 5_000 })
    for (let count = 0; count < 50; count += 1) ada.all(KIB)
    const di = world.enter('lobby', 'di')
    bob.uplink.drain()
    expect(bob.last('joined').member.id).toBe(di.id)
  })

  it('is closed when too many control messages wait', () => {
    const { world, bob, cy } = stalledRoom({ controlBacklogBytes: 10_000 })
    for (let count = 0; count < 5; count += 1) world.enter('lobby', `${count}${KIB}${KIB}${KIB}`)
    expect(bob.uplink.closedWith?.code).toBe(4004)
    expect(cy.messages('changed')).toEqual([{ t: 'changed', version: 9, id: bob.id, presence: 'away' }])
    expect(cy.messages('joined').map((message) => message.version)).toEqual([4, 5, 6, 7, 8])
    expect(cy.uplink.closedWith).toBeUndefined()
    expect(world.defects).toEqual([])
  })

  it('is not closed for a room full of the largest members, whether they all come meanwhile or all change', async () => {
    const rights = new Set(RIGHTS.filter((right) => right !== 'history'))
    const userId = 'u'.repeat(LIMITS.userIdBytes)
    const grant = { rights, userId, profile: undefined, expiresAtMs: undefined }
    const world = new World({ access: { check: async () => grant } })
    // As JSON, with its quotes.
    const largest = 'x'.repeat(LIMITS.profileBytes - 2)
    const enter = async () => {
      const client = world.connect()
      client.join({ access: 'good', profile: largest, seal: 's'.repeat(LIMITS.sealChars) })
      await new Promise((resolve) => setImmediate(resolve))
      return client
    }
    const bob = await enter()
    bob.uplink.stall()
    const others = []
    while (others.length < LIMITS.membersPerRoom - 1) others.push(await enter())
    expect(bob.uplink.closedWith).toBeUndefined()
    bob.uplink.drain()
    expect(bob.messages('joined')).toHaveLength(others.length)
    bob.uplink.stall()
    for (let round = 0; round < 2; round += 1) {
      for (const other of others) other.request({ t: 'profile', profile: `${round}${largest.slice(1)}` })
    }
    expect(bob.uplink.closedWith).toBeUndefined()
    bob.uplink.drain()
    const told = bob.messages('changed').filter(({ profile }) => profile !== undefined)
    expect(told.filter(({ profile }) => String(profile).startsWith('1'))).toHaveLength(others.length)
  })

  it('is not closed for the profiles of one member that stays within its rate: of those that wait, the newest is told', () => {
    const world = new World()
    const [ada, bob, cy] = [world.enter(), world.enter(), world.enter(), world.enter()] as const
    bob.uplink.stall()
    for (let count = 0; !ada.uplink.paused; count += 1) {
      ada.request({ t: 'profile', profile: `${count}${KIB}${KIB}${KIB}${KIB}` })
    }
    const told = cy.messages('changed')
    expect(JSON.stringify(told).length).toBeGreaterThan(1.2 * HUB_DEFAULTS.controlBacklogBytes)
    expect(bob.uplink.closedWith).toBeUndefined()
    bob.uplink.drain()
    expect(bob.messages('changed').map(({ version }) => version)).toEqual(told.map(({ version }) => version))
    // The first was on its way.
    expect(bob.messages('changed').filter(({ profile }) => profile !== undefined)).toEqual([told[0], told.at(-1)])
    bob.uplink.stall()
    world.clock.advance(5_000)
    ada.request({ t: 'profile', profile: 'a' })
    ada.request({ t: 'profile', profile: 'b' })
    bob.uplink.drain()
    expect(bob.last('changed')).toMatchObject({ profile: 'b' })
  })

  it('nor for small ones without end, of which it sees that some are missing', () => {
    const { world, ada, bob, cy } = stalledRoom({ controlBacklogBytes: 100_000 })
    for (let count = 0; count < 2_000; count += 1) ada.request({ t: 'profile', profile: count })
    cy.request({ t: 'profile', profile: 'other' })
    expect(bob.uplink.closedWith).toBeUndefined()
    bob.uplink.drain()
    const versions = bob.messages('changed').map(({ version }) => version)
    expect(versions).toEqual([...versions].sort((one, other) => one - other))
    expect(versions.length).toBeLessThan(1_000)
    expect(versions.at(-1)).toBe(2_004)
    expect(bob.messages('changed').slice(-2)).toMatchObject([{ profile: 1_999 }, { profile: 'other' }])
    expect(world.defects).toEqual([])
  })

  it('is closed when nothing drains for 10 s, and may come back as the same member', () => {
    const { world, ada, bob } = stalledRoom()
    ada.all('lost')
    world.clock.advance(9_999)
    expect(bob.uplink.closedWith).toBeUndefined()
    world.clock.advance(1)
    expect(bob.uplink.closedWith?.code).toBe(4004)
    expect(ada.last('changed')).toMatchObject({ id: bob.id, presence: 'away' })
    const back = world.connect().sameAs(bob)
    back.join({ token: bob.last('welcome').token })
    expect(back.id).toBe(bob.id)
    bob.uplink.drop()
    ada.all('found')
    world.settle()
    expect(back.texts()).toEqual(['found'])
  })

  it('is not closed while it reads, however slowly, and 10 s after it stops reading', () => {
    const { world, ada, bob } = stalledRoom()
    let queuedBytes = 500_000
    bob.uplink.queuedBytes = () => queuedBytes
    ada.all(KIB)
    for (let seconds = 0; seconds < 60; seconds += 5) {
      world.clock.advance(5_000)
      queuedBytes -= 1
    }
    expect(bob.uplink.closedWith).toBeUndefined()
    world.clock.advance(12_500)
    expect(bob.uplink.closedWith?.code).toBe(4004)
  })

  it('goes on when its carrier drains without ever saying so', () => {
    const { world, ada, bob } = stalledRoom()
    let queuedBytes = 500_000
    bob.uplink.queuedBytes = () => queuedBytes
    ada.all('1')
    ada.all('2')
    world.settle()
    expect(bob.uplink.queue).toHaveLength(1)
    queuedBytes = 0
    world.clock.advance(2_500)
    expect(bob.uplink.queue).toHaveLength(2)
  })

  it('is not closed for a block that ends, and leaves no timer behind', () => {
    const { world, ada, bob } = stalledRoom()
    ada.all('1')
    world.clock.advance(9_000)
    bob.uplink.drain()
    world.settle()
    world.clock.advance(60_000)
    expect(bob.uplink.closedWith).toBeUndefined()
    expect(world.clock.pending()).toBe(0)
  })

  it('gets only the newest droppable frame of each sender and slot', () => {
    const { world, ada, bob, cy } = stalledRoom()
    ada.all('block')
    for (let count = 0; count < 100; count += 1) {
      ada.all(`ada 1 ${count}`, 1)
      ada.all(`ada 2 ${'y'.repeat(count)}`, 2)
      cy.all(`cy 1 ${count}`, 1)
    }
    ada.all('reliable')
    world.settle()
    bob.uplink.drain()
    expect(bob.texts()).toEqual(['block', 'ada 1 99', `ada 2 ${'y'.repeat(99)}`, 'cy 1 99', 'reliable'])
    expect(bob.packets()).toHaveLength(2)
    expect(world.hub.stats().droppedReplaced).toBe(297)
    expect(cy.texts()).toHaveLength(202)
    expect(ada.messages('dropped')).toEqual([])
  })

  it('has waiting droppable frames make room for others, before any of those is dropped', () => {
    const { world, ada, bob } = stalledRoom({ slowReaderBytes: 20_000 })
    ada.all('block')
    ada.all('first')
    for (let slot = 0; slot < 15; slot += 1) ada.all(KIB, slot)
    const { droppedReplaced } = world.hub.stats()
    for (let count = 0; count < 15; count += 1) ada.all(`${count} ${KIB}`)
    world.clock.advance(100)
    expect(ada.messages('dropped')).toEqual([])
    expect(world.hub.stats()).toMatchObject({ droppedSlow: 0, droppedReplaced: droppedReplaced + 15 })
    // What is droppable does not push out what is not.
    for (let slot = 0; slot < 15; slot += 1) ada.all(KIB, slot)
    world.settle()
    bob.uplink.drain()
    const numbers = bob.texts().flatMap((text) => /^\d+(?= )/.exec(text)?.[0] ?? [])
    expect(numbers).toEqual(Array.from({ length: 15 }, (_, count) => `${count}`))
    expect(bob.texts()[1]).toBe('first')
    // Counted down as it was counted up: there is room again.
    bob.uplink.stall()
    ada.all('block')
    for (let count = 0; count < 18; count += 1) ada.all(KIB)
    world.clock.advance(100)
    expect(ada.messages('dropped')).toEqual([])
  })

  it('is bounded in droppable frames too, though each has its own slot', () => {
    const { world, ada, bob } = stalledRoom({ slowReaderBytes: 20_000 })
    ada.all('block')
    for (let slot = 0; slot < 1_000; slot += 1) ada.all('x', slot)
    for (let slot = 0; slot < 1_000; slot += 1) ada.all(KIB, slot)
    expect(world.hub.stats().droppedSlow).toBeGreaterThan(1_800)
    bob.uplink.drain()
    expect(bob.texts().join('').length).toBeLessThan(20_000)
    // Counted down as it was counted up: there is room again.
    bob.uplink.stall()
    world.settle()
    ada.all('block')
    ada.all('again', 5)
    bob.uplink.drain()
    expect(bob.texts().at(-1)).toBe('again')
  })

  it('is closed when its carrier refuses what it said it would take', () => {
    const { world, ada, bob, cy } = stalledRoom()
    bob.uplink.send = () => 'dropped'
    ada.all('1')
    world.settle()
    expect(bob.uplink.closedWith?.code).toBe(4004)
    expect(cy.texts()).toEqual(['1'])
    expect(cy.last('changed')).toMatchObject({ id: bob.id, presence: 'away' })
  })

  it('that is found out by a join does not get between the joining member and its welcome', () => {
    const { world, ada, bob, cy } = stalledRoom({ controlBacklogBytes: 9_800 })
    for (let count = 0; count < 3; count += 1) world.enter('lobby', `${count}${KIB}${KIB}${KIB}`)
    const token = cy.last('welcome').token
    cy.uplink.drop()
    const again = world.connect().sameAs(cy)
    again.join({ token, profile: `${KIB}${KIB}${KIB}` })
    bob.uplink.drain()
    expect(bob.uplink.closedWith?.code).toBe(4004)
    const welcome = again.last('welcome')
    expect(again.received()[0]).toEqual(welcome)
    expect(welcome.members.find((member) => member.id === bob.id)?.presence).toBe('away')
    expect(ada.messages('changed').at(-1)?.version).toBe(welcome.version)
  })
})
