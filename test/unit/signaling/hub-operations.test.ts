import { describe, expect, it } from 'vitest'
import { HUB_DEFAULTS, type HubOptions } from '../../../signaling/limits/hub-options.ts'
import { CLOSE } from '../../../signaling/protocol/errors.ts'
import { KEY, World } from './hub-world.ts'

const OTHER_KEY = new Uint8Array(32).fill(9)

describe('what the hub counts', () => {
  it('is joins and resumes', () => {
    const world = new World()
    const ada = world.enter()
    ada.uplink.drop()
    const back = world.connect().sameAs(ada)
    back.join({ token: ada.last('welcome').token })
    expect(world.hub.stats()).toMatchObject({ joins: 2, resumes: 1, refused: {} })
  })

  it('is who was turned away, by code, and who was closed', () => {
    const world = new World({ options: { membersPerRoom: 1, connectionsPerAddress: 4 } })
    world.enter()
    world.connect().join()
    world.connect().join({ room: 7 })
    const silent = world.connect()
    world.connect().join({ room: 'other' })
    world.clock.advance(HUB_DEFAULTS.joinTimeoutMs)
    expect(silent.uplink.closedWith?.code).toBe(CLOSE.timeout)
    const { refused, closed } = world.hub.stats()
    expect(refused).toEqual({ 'room-full': 1, 'bad-message': 1, 'too-many-connections': 1 })
    expect(closed).toEqual({ [CLOSE.tryLater]: 2, [CLOSE.badMessage]: 1, [CLOSE.timeout]: 1 })
  })

  it('is not what a member does wrong after it joined', () => {
    const world = new World()
    world.enter().say('{')
    expect(world.hub.stats()).toMatchObject({ refused: {}, closed: { [CLOSE.badMessage]: 1 } })
  })

  it('is sessions by carrier, and links by path as members told last', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    world.connect()
    ada.say({ t: 'ping', n: 1, paths: { direct: 4, turn: 1, relay: 0 } })
    ada.say({ t: 'ping', n: 2, paths: { direct: 3, turn: 1, relay: 1 } })
    bob.say({ t: 'ping', n: 1, paths: { direct: 1, turn: 0, relay: 0 } })
    bob.say({ t: 'ping', n: 2 })
    expect(world.hub.stats()).toMatchObject({
      unjoined: 1,
      carriers: { websocket: 2, sse: 0, 'long-poll': 0, 'short-poll': 0 },
      links: { direct: 4, turn: 1, relay: 1 },
    })
    ada.uplink.drop()
    expect(world.hub.stats()).toMatchObject({ carriers: { websocket: 1 }, links: { direct: 1, turn: 0, relay: 0 } })
  })
})

describe('limits and keys that are changed while the hub runs', () => {
  const change = (world: World, options: Partial<HubOptions>, sessionKeys = [KEY]): void =>
    world.hub.reconfigure({ options: { ...HUB_DEFAULTS, ...options }, sessionKeys })

  it('hold from the next time they are looked at, and drop nobody', () => {
    const world = new World()
    const all = [world.enter(), world.enter(), world.enter()]
    change(world, { membersPerRoom: 2, connectionsPerAddress: 4, roomsPerServer: 1 })
    for (const one of all) expect(one.uplink.closedWith).toBeUndefined()
    const late = world.connect()
    late.join()
    expect(late.last('error').code).toBe('room-full')
    const elsewhere = world.connect('198.51.100.7')
    elsewhere.join({ room: 'other' })
    expect(elsewhere.last('error').code).toBe('server-full')
    change(world, { membersPerRoom: 4 })
    world.enter('lobby')
    expect(world.hub.stats().members).toBe(4)
  })

  it('bound the connections of an address that has them already', () => {
    const world = new World()
    world.enter()
    world.enter()
    change(world, { connectionsPerAddress: 2 })
    expect(world.connect().last('error').code).toBe('too-many-connections')
  })

  it('give a member another rate when it is told of it', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    change(world, { messagesPerSecond: 1 })
    for (let count = 0; count < 100; count += 1) ada.to(bob, 'x')
    expect(ada.uplink.paused).toBe(false)
    ada.uplink.drop()
    const back = world.connect().sameAs(ada)
    back.join({ token: ada.last('welcome').token })
    expect(back.last('welcome').limits.messagesPerSecond).toBe(1)
    world.clock.advance(5_000)
    for (let count = 0; count < 5; count += 1) back.to(bob, 'x')
    expect(back.uplink.paused).toBe(true)
  })

  it('leave alone what members were promised', () => {
    const world = new World()
    change(world, { frameBytes: 1_000, packetBytes: 2_000, profileBytes: 2 })
    expect(world.enter('lobby', { name: 'Ada' }).last('welcome').limits).toMatchObject({
      frameBytes: HUB_DEFAULTS.frameBytes,
      packetBytes: HUB_DEFAULTS.packetBytes,
      profileBytes: HUB_DEFAULTS.profileBytes,
    })
  })

  it('sign with the new key and honour what the old one signed, until that is taken away', () => {
    const world = new World()
    const ada = world.enter()
    const { token } = ada.last('welcome')
    change(world, {}, [OTHER_KEY, KEY])
    ada.uplink.drop()
    const back = world.connect().sameAs(ada)
    back.join({ token })
    expect(back.last('welcome')).toMatchObject({ peerId: ada.id, resumed: true })
    const renewed = back.last('welcome').token
    change(world, {}, [OTHER_KEY])
    back.uplink.drop()
    const late = world.connect().sameAs(ada)
    late.join({ token })
    expect(late.last('error').code).toBe('token-invalid')
    const again = world.connect().sameAs(ada)
    again.join({ token: renewed })
    expect(again.last('welcome')).toMatchObject({ peerId: ada.id, resumed: true })
  })

  it('refuse a key that is too short, and change nothing', () => {
    const world = new World()
    expect(() => change(world, { membersPerRoom: 1 }, [new Uint8Array(8)])).toThrow(RangeError)
    world.enter()
    world.enter()
    expect(world.hub.stats().members).toBe(2)
  })
})

it('a restart is spread over the longer, the more must come back', () => {
  const world = new World({ options: { connectionsPerAddress: 10_000 } })
  const members = Array.from({ length: 4_000 }, (_, index) => world.enter(`room ${index % 500}`))
  world.hub.close(CLOSE.restart)
  const waits = members.map((member) => member.last('bye').retryAfterMs ?? 0)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(800)
  expect(Math.max(...waits)).toBeGreaterThan(1_500)
})
