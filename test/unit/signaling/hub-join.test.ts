import { describe, expect, it } from 'vitest'
import { ALL_RIGHTS } from '../../../signaling/access/grant.ts'
import { HUB_DEFAULTS } from '../../../signaling/limits/hub-options.ts'
import { World } from './hub-world.ts'

describe('join', () => {
  it('answers with a welcome that says who I am, who is there, and what is allowed', () => {
    const world = new World()
    const ada = world.enter('lobby', { name: 'Ada' })
    const bob = world.enter('lobby', { name: 'Bob' })

    const welcome = bob.last('welcome')
    expect(welcome).toMatchObject({ re: 1, v: 1, resumed: false, room: 'lobby', version: 2, graceMs: 20_000 })
    expect(welcome.members).toEqual([
      { id: ada.id, instance: ada.instance, profile: { name: 'Ada' }, presence: 'here' },
    ])
    expect(welcome.timeMs).toBe(world.clock.nowMs())
    expect(welcome.tokenExpiresAtMs).toBe(world.clock.nowMs() + 3_600_000)
    expect(welcome.iceServers[0]?.username).toBe(`1:${bob.id}`)
    expect(welcome.limits.packetBytes).toBe(HUB_DEFAULTS.packetBytes)
    expect(welcome.epoch).toBe(ada.last('welcome').epoch)
    expect(ada.last('joined')).toEqual({
      t: 'joined',
      version: 2,
      member: { id: bob.id, instance: bob.instance, profile: { name: 'Bob' }, presence: 'here' },
    })
  })

  it('speaks the newest version that both speak', () => {
    const world = new World()
    const newer = world.connect()
    newer.join({ vMin: 1, vMax: 9 })
    expect(newer.last('welcome').v).toBe(1)
  })

  it.each([
    [2, 9],
    [3, 1],
  ])('refuses versions %i to %i for good', (vMin, vMax) => {
    const client = new World().connect()
    client.join({ vMin, vMax })
    expect(client.last('error')).toMatchObject({ re: 1, code: 'version-unsupported', fatal: true })
    expect(client.uplink.closedWith?.code).toBe(4003)
  })

  it('closes an uplink that does not join in time, and no other', () => {
    const world = new World()
    const silent = world.connect()
    const ada = world.enter()
    world.clock.advance(9_999)
    expect(silent.uplink.closedWith).toBeUndefined()
    world.clock.advance(1)
    expect(silent.last('bye').code).toBe(4000)
    expect(silent.uplink.closedWith?.code).toBe(4000)
    expect(ada.uplink.closedWith).toBeUndefined()
  })

  it('makes one member of a join that is repeated on another uplink because its answer was lost', () => {
    const world = new World()
    const ada = world.enter()
    const first = world.connect()
    first.join()
    const again = world.connect().sameAs(first)
    again.join()
    expect(again.id).toBe(first.id)
    expect(again.last('welcome').resumed).toBe(false)
    expect(first.uplink.closedWith?.code).toBe(4002)
    expect(ada.messages('joined')).toHaveLength(1)
    expect(ada.messages('changed')).toHaveLength(0)
  })

  it('answers a join repeated on the same uplink again', () => {
    const ada = new World().connect()
    ada.join({ id: 7 })
    ada.join({ id: 7 })
    const [one, two] = ada.messages('welcome')
    expect(two?.peerId).toBe(one?.peerId)
    expect(two?.re).toBe(7)
    expect(ada.uplink.closedWith).toBeUndefined()
  })

  it.each([{ room: 'other' }, { joinKey: '0'.repeat(32) }])('refuses a second join on one uplink: %j', (parts) => {
    const ada = new World().enter()
    ada.join(parts)
    expect(ada.last('error')).toMatchObject({ code: 'already-joined', fatal: true })
    expect(ada.uplink.closedWith?.code).toBe(4001)
  })

  it('does not take the join key of another room, or of another instance, for the same member', () => {
    const world = new World()
    const ada = world.enter('one')
    const elsewhere = world.connect().sameAs(ada)
    elsewhere.join({ room: 'two' })
    expect(elsewhere.id).not.toBe(ada.id)
    const thief = world.connect()
    thief.joinKey = ada.joinKey
    thief.join({ room: 'one' })
    expect(thief.id).not.toBe(ada.id)
    expect(ada.uplink.closedWith).toBeUndefined()
  })

  it.each(['ping', 'profile', 'leave'])('refuses %s before join', (t) => {
    const client = new World().connect()
    client.request({ t, n: 1, profile: null })
    expect(client.last('error')).toMatchObject({ code: 'not-joined', fatal: true })
    expect(client.uplink.closedWith?.code).toBe(4001)
  })

  it('refuses frames before join', () => {
    const client = new World().connect()
    client.all('hello')
    expect(client.last('error')).toMatchObject({ code: 'not-joined', fatal: true })
  })
})

describe('capacity', () => {
  it('refuses a member too many, and lets those who are in come back', () => {
    const world = new World({ options: { membersPerRoom: 2 } })
    const ada = world.enter()
    world.enter()
    const third = world.enter()
    expect(third.last('error')).toMatchObject({ code: 'room-full', fatal: true })
    expect(third.last('error').retryAfterMs).toBeGreaterThanOrEqual(5_000)
    expect(third.uplink.closedWith?.code).toBe(1013)
    ada.uplink.drop()
    const back = world.connect().sameAs(ada)
    back.join({ token: ada.last('welcome').token })
    expect(back.last('welcome').resumed).toBe(true)
  })

  it('refuses a member too many of those that see each other, and takes more that see nobody', async () => {
    const rights = new Set(['publish'] as const)
    const access = {
      check: async (token?: string) => ({
        rights: token === 'sees' ? ALL_RIGHTS : rights,
        userId: undefined,
        profile: undefined,
        expiresAtMs: undefined,
      }),
    }
    const world = new World({ access, options: { membersPerRoom: 4, listedMembers: 2 } })
    const enter = async (token: string) => {
      const client = world.connect()
      client.join({ access: token })
      await new Promise((resolve) => setImmediate(resolve))
      return client
    }
    for (let count = 0; count < 2; count += 1) expect((await enter('sees')).last('welcome').v).toBe(1)
    expect((await enter('sees')).last('error')).toMatchObject({ code: 'room-full', fatal: true })
    for (let count = 0; count < 2; count += 1) expect((await enter('listens')).last('welcome').members).toEqual([])
    expect((await enter('listens')).last('error')).toMatchObject({ code: 'room-full', fatal: true })
  })

  it('refuses a room too many, and opens one when another is empty', () => {
    const world = new World({ options: { roomsPerServer: 1 } })
    const ada = world.enter('one')
    const refused = world.enter('two')
    expect(refused.last('error')).toMatchObject({ code: 'server-full', fatal: true })
    expect(refused.uplink.closedWith?.code).toBe(1013)
    ada.request({ t: 'leave' })
    expect(world.enter('two').last('welcome').room).toBe('two')
  })

  it('counts uplinks of one address, joined or not, until they are closed', () => {
    const world = new World({ options: { connectionsPerAddress: 2 } })
    const first = world.connect('2001:db8::1')
    world.connect('2001:db8::2').join()
    const third = world.connect('2001:db8::3')
    expect(third.last('error')).toMatchObject({ code: 'too-many-connections', fatal: true })
    expect(third.uplink.closedWith?.code).toBe(1013)
    third.uplink.drop()
    expect(world.connect('2001:db8:0:1::1').uplink.closedWith).toBeUndefined()
    expect(world.connect('2001:db8::4').uplink.closedWith?.code).toBe(1013)
    first.uplink.drop()
    expect(world.connect('2001:db8::5').uplink.closedWith).toBeUndefined()
  })

  it('says what it holds', () => {
    const world = new World()
    world.enter('one')
    world.enter('two').uplink.drop()
    world.connect()
    expect(world.hub.stats()).toMatchObject({ connections: 2, unjoined: 1, rooms: 2, members: 2, away: 1 })
  })
})

describe('shutdown', () => {
  it.each([1001, 1012] as const)(
    'tells everyone with %i when to come back, ends no session and leaves no timer',
    (code) => {
      const world = new World()
      const clients = [world.enter(), world.enter(), world.connect()]
      world.enter('other').uplink.drop()
      world.hub.close(code)
      for (const client of clients) {
        expect(client.last('bye').code).toBe(code)
        expect(client.last('bye').retryAfterMs).toBeGreaterThan(0)
        expect(client.uplink.closedWith?.code).toBe(code)
        client.uplink.drop()
      }
      expect(clients[0]?.messages('left')).toEqual([])
      expect(clients[0]?.messages('changed')).toEqual([])
      expect(world.clock.pending()).toBe(0)
      expect(world.hub.stats()).toMatchObject({ connections: 0, members: 0, rooms: 0 })
      const late = world.connect()
      expect(late.last('error').code).toBe('going-away')
      expect(late.uplink.closedWith?.code).toBe(1012)
      // Not later than the others were told to come: they may be back before the port is free, and are told again.
      const leastMs = code === 1012 ? 300 : 1_000
      for (const client of [...clients, late]) {
        expect(client.last('bye').retryAfterMs).toBeGreaterThanOrEqual(leastMs)
        expect(client.last('bye').retryAfterMs).toBeLessThanOrEqual(2 * leastMs)
      }
      expect(late.last('error').retryAfterMs).toBe(late.last('bye').retryAfterMs)
    },
  )

  it('does not let one address fill the server with members that are away', () => {
    const world = new World({ options: { connectionsPerAddress: 2, roomsPerServer: 6 } })
    const refused: string[] = []
    for (let number = 0; number < 10; number += 1) {
      const client = world.connect('192.0.2.66')
      client.join({ room: `room ${number}` })
      refused.push(...client.messages('error').map(({ code }) => code))
      client.uplink.drop()
    }
    expect(refused).toEqual(Array.from({ length: 6 }, () => 'too-many-connections'))
    expect(world.hub.stats()).toMatchObject({ rooms: 4, members: 4, away: 4 })
    const other = world.connect('192.0.2.7')
    other.join({ room: 'another' })
    expect(other.messages('welcome')).toHaveLength(1)
  })

  it('holds back an address whose members come and go without end', () => {
    const world = new World({ options: { connectionsPerAddress: 5 } })
    const witness = world.connect('192.0.2.7')
    witness.join()
    for (let count = 0; count < 100; count += 1) {
      const client = world.connect('192.0.2.66')
      client.join()
      client.request({ t: 'leave' })
      client.uplink.drop()
    }
    expect(witness.messages('joined')).toHaveLength(10)
    expect(witness.messages('left')).toHaveLength(10)
  })
})
