import { describe, expect, it } from 'vitest'
import { AccessError } from '../../../signaling/access/access-error.ts'
import { ALL_RIGHTS, type Grant } from '../../../signaling/access/grant.ts'
import type { HubOptions } from '../../../signaling/limits/hub-options.ts'
import type { PeerId, Right } from '../../../signaling/protocol/index.ts'
import type { AccessToken, JoinOptions, Message } from '../../../web/client/face.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'

interface Claims {
  readonly userId?: string
  readonly rights?: readonly Right[]
  readonly profile?: string
  readonly expiresAtMs?: number
}

const token = (claims: Claims): string => JSON.stringify(claims)

/** A server whose access tokens are what they say, unsigned. */
class Server {
  readonly world: SimWorld
  readonly seen: (string | undefined)[] = []

  constructor(seed: number, hub: Partial<HubOptions> = {}) {
    const access = { check: (given: string | undefined) => this.#check(given) }
    this.world = new SimWorld(seed, { access, hub: { graceMs: 60_000, ...hub } })
  }

  join(name: string, accessToken: AccessToken | undefined, options: JoinOptions = {}): SimClient {
    return this.world.join('lobby', name, { paths: ['relay'], ...options, ...(accessToken && { accessToken }) })
  }

  async #check(given: string | undefined): Promise<Grant> {
    this.seen.push(given)
    if (given === undefined) throw new AccessError('denied', 'a token is asked for')
    const { userId, rights, profile, expiresAtMs } = JSON.parse(given) as Claims
    if (expiresAtMs !== undefined && expiresAtMs <= this.world.clock.now()) {
      throw new AccessError('access-expired', 'the token has run out')
    }
    return { userId, rights: rights === undefined ? ALL_RIGHTS : new Set(rights), profile, expiresAtMs }
  }
}

const heard = ({ room }: SimClient, channel = 'chat'): Message<unknown>[] => {
  const messages: Message<unknown>[] = []
  room.channel(channel).on('message', (message) => void messages.push(message))
  return messages
}
const texts = (messages: readonly Message<unknown>[]): unknown[] => messages.map(({ data }) => data)
const idOf = ({ room }: SimClient): PeerId => room.self?.id as PeerId

describe('a room with access tokens', () => {
  it('is entered with one, and shows who is who', async () => {
    const server = new Server(1)
    const ada = server.join('ada', token({ userId: 'ada' }))
    const bob = server.join('bob', () => token({ userId: 'bob', profile: 'Bob' }), { profile: 'Mallory' })
    await server.world.clock.run(1_000)
    expect(ada.room.peers.get(idOf(bob))).toMatchObject({ userId: 'bob', profile: 'Bob' })
    expect(bob.room.self).toEqual({ id: idOf(bob), userId: 'bob', profile: 'Bob', rights: [...ALL_RIGHTS] })
    const refused = bob.room.setProfile('Mallory').catch((error: unknown) => error)
    await server.world.clock.run(1_000)
    expect(await refused).toMatchObject({ code: 'denied' })
  })

  it('is closed to who has none, for good', async () => {
    const server = new Server(2)
    const ada = server.join('ada', undefined)
    await server.world.clock.run(1_000)
    expect(await ada.room.closed).toMatchObject({ code: 'denied', fatal: true })
  })

  it('of an open server has no users, and all rights', async () => {
    const world = new SimWorld(3)
    const ada = world.join('lobby', 'ada')
    await world.clock.run(1_000)
    expect(ada.room.self).toMatchObject({ userId: undefined, rights: [...ALL_RIGHTS] })
  })

  it('goes on with another token before the first runs out, on the same uplink', async () => {
    const server = new Server(4)
    const { clock } = server.world
    let given = 0
    const ada = server.join('ada', async () => {
      given += 1
      return token({ userId: 'ada', expiresAtMs: clock.now() + 600_000 })
    })
    await clock.run(1_900_000)
    expect(ada.room.status).toBe('online')
    expect(ada.room.stats().reconnections).toBe(0)
    // Renewed at three quarters: 450, 900, 1,350 and 1,800 s.
    expect(given).toBe(5)
  })

  it('goes on with another token when the server warns of a short one', async () => {
    const server = new Server(5)
    const { clock } = server.world
    const ada = server.join('ada', () => token({ userId: 'ada', expiresAtMs: clock.now() + 12_000 }))
    await clock.run(120_000)
    expect(ada.room.stats()).toMatchObject({ status: 'online', reconnections: 0 })
  })

  it('is come back to with another token when the old one ran out meanwhile', async () => {
    const server = new Server(6)
    const { clock } = server.world
    const ada = server.join('ada', () => token({ userId: 'ada', expiresAtMs: clock.now() + 15_000 }))
    await clock.run(1_000)
    const id = idOf(ada)
    ada.uplink.refused = true
    server.world.server.drop(ada.uplink)
    await clock.run(17_000)
    ada.uplink.refused = false
    await clock.run(15_000)
    expect(ada.room.status).toBe('online')
    expect(idOf(ada)).toBe(id)
  })

  it('is over when a token that cannot be renewed runs out', async () => {
    const server = new Server(7)
    const { clock } = server.world
    const ada = server.join('ada', token({ userId: 'ada', expiresAtMs: clock.now() + 60_000 }))
    await clock.run(59_000)
    expect(ada.room.status).toBe('online')
    await clock.run(2_000)
    expect(await ada.room.closed).toMatchObject({ code: 'access-expired', fatal: true })
  })

  it('is not stayed in for good by direct paths alone, by one whose token ran out while the server was restarted', async () => {
    const server = new Server(13, { tokenTtlMs: 300_000 })
    const { clock, server: hub } = server.world
    const paths = ['direct', 'relay'] as const
    const ada = server.join('ada', () => token({ userId: 'ada', expiresAtMs: clock.now() + 86_400_000 }), { paths })
    const bob = server.join('bob', token({ userId: 'bob', expiresAtMs: clock.now() + 60_000 }), { paths })
    await clock.run(5_000)
    expect(ada.room.peers.get(idOf(bob))?.path).toBe('direct')
    const left: string[] = []
    ada.room.on('leave', ({ reason }) => left.push(reason))
    // Bob keeps away from the server, which would tell him that it is over.
    for (const pipe of [bob.uplink.up, bob.uplink.down]) pipe.blackhole = true
    hub.kill()
    await clock.run(1_000)
    hub.start()
    await clock.run(270_000)
    expect(ada.room.peers.get(idOf(bob))).toMatchObject({ presence: 'away', path: 'direct' })
    await clock.run(60_000)
    expect([ada.room.peers.size, left]).toEqual([0, ['expired']])
  })

  it('waits for an application that has no token yet, and asks again', async () => {
    const server = new Server(8)
    const { clock } = server.world
    let asked = 0
    const ada = server.join('ada', () => {
      asked += 1
      return asked < 4 ? Promise.reject(new Error('the backend is away')) : token({ userId: 'ada' })
    })
    await clock.run(500)
    expect(ada.room.status).toBe('joining')
    await clock.run(30_000)
    expect(ada.room.status).toBe('online')
    expect(asked).toBe(4)
    expect(server.seen).toHaveLength(1)
  })

  it('can be left while the application is asked', async () => {
    const server = new Server(9)
    const ada = server.join('ada', () => new Promise<string>(() => undefined))
    await server.world.clock.run(1_000)
    await ada.room.leave()
    await server.world.clock.run(60_000)
    expect(ada.room.status).toBe('closed')
    expect(server.seen).toEqual([])
  })

  it.each([
    [['members', 'publish'], ['to all'], 'direct'],
    [['members', 'direct'], ['to you'], 'room'],
  ] as const)('lets who has the rights %j send what they allow, and says so', async (rights, arrives, refused) => {
    const server = new Server(10)
    const ada = server.join('ada', token({}))
    const bob = server.join('bob', token({ rights }))
    await server.world.clock.run(1_000)
    const messages = heard(ada)
    const chat = bob.room.channel<string>('chat')
    const send = { room: () => chat.send('to all'), direct: () => chat.send('to you', { to: idOf(ada) }) }
    expect(send[refused]).toThrow(expect.objectContaining({ code: 'denied' }))
    send[refused === 'room' ? 'direct' : 'room']()
    await server.world.clock.run(1_000)
    expect(texts(messages)).toEqual([...arrives])
  })

  it('lets who may only listen acknowledge: nobody is cut', async () => {
    const server = new Server(11)
    const ada = server.join('ada', token({}))
    const bob = server.join('bob', token({ rights: ['members'] }))
    await server.world.clock.run(1_000)
    const messages = heard(bob)
    const sent = ada.room.channel('chat').send('x'.repeat(200_000))
    await server.world.clock.run(5_000)
    expect((await sent.delivered).missed.size).toBe(0)
    expect(messages).toHaveLength(1)
  })

  it.each([['relay'], ['direct']] as const)('takes nothing from a client that ignores its rights: %s', async (path) => {
    const server = new Server(12)
    const { clock } = server.world
    const paths = [path, 'relay'] as const
    const ada = server.join('ada', token({}), { paths })
    const bob = server.join('bob', token({ rights: ['members'] }), { paths })
    await clock.run(5_000)
    expect(ada.room.peers.get(idOf(bob))?.path).toBe(path)
    const messages = heard(ada)
    const values: unknown[] = []
    ada.room.latest('pos').on('value', ({ value }) => void values.push(value))
    Object.assign(bob.room.self as object, { rights: [...ALL_RIGHTS] })
    bob.room.channel('chat').send('to all')
    bob.room.channel('chat').send('to you', { to: idOf(ada) })
    bob.room.latest('pos').set(1)
    await clock.run(3_000)
    expect(messages).toEqual([])
    expect(values).toEqual([])
  })
})

describe('what a backend publishes', () => {
  const publish = (server: Server, data: number, channel = 'chat'): number | undefined =>
    server.world.server.hub?.directory.publish({ to: 'room', room: 'lobby' }, channel, { data }).members

  it('comes from the server, in order, among the messages of members', async () => {
    const server = new Server(20)
    const ada = server.join('ada', token({}))
    const bob = server.join('bob', token({}))
    await server.world.clock.run(1_000)
    const messages = heard(ada)
    for (let data = 1; data <= 3; data += 1) publish(server, data)
    bob.room.channel('chat').send('hi')
    await server.world.clock.run(1_000)
    expect(texts(messages.filter(({ from }) => from === 'server'))).toEqual([1, 2, 3])
    expect(messages.filter(({ from }) => from === idOf(bob))).toHaveLength(1)
    expect(messages.find(({ data }) => data === 1)).toMatchObject({ direct: false, sentAtMs: expect.any(Number) })
  })

  it('may be bytes, for one member', async () => {
    const server = new Server(21)
    const ada = server.join('ada', token({}))
    const bob = server.join('bob', token({}))
    await server.world.clock.run(1_000)
    const [messages, others] = [heard(ada), heard(bob)]
    server.world.server.hub?.directory.publish({ to: 'member', room: 'lobby', id: idOf(ada) }, 'chat', {
      base64: 'aGk=',
    })
    await server.world.clock.run(1_000)
    expect(messages).toMatchObject([{ data: Uint8Array.of(104, 105), direct: true }])
    expect(others).toEqual([])
  })

  it('waits for a channel that nobody reads yet, and holds back no other', async () => {
    const server = new Server(22)
    const ada = server.join('ada', token({}))
    await server.world.clock.run(1_000)
    publish(server, 1)
    publish(server, 2, 'news')
    publish(server, 3)
    const news = heard(ada, 'news')
    await server.world.clock.run(1_000)
    expect(texts(news)).toEqual([2])
    const messages = heard(ada)
    await server.world.clock.run(100)
    expect(texts(messages)).toEqual([1, 3])
  })

  it('comes once and in order over lost uplinks, which it finds away', async () => {
    const server = new Server(23)
    const { clock } = server.world
    const ada = server.join('ada', token({}))
    await clock.run(1_000)
    const messages = heard(ada)
    for (let data = 1; data <= 40; data += 1) {
      expect(publish(server, data)).toBe(1)
      if (data % 7 === 0) server.world.server.drop(ada.uplink)
      await clock.run(data % 7 === 3 ? 5 : 300)
    }
    await clock.run(10_000)
    expect(texts(messages)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  })

  it('that is too much for the time away is told as missed', async () => {
    const server = new Server(27)
    const { clock } = server.world
    const ada = server.join('ada', token({}))
    await clock.run(1_000)
    const messages = heard(ada)
    const missed: number[] = []
    ada.room.on('missed', (told) => void missed.push(told.messages))
    publish(server, 0)
    await clock.run(1_000)
    ada.uplink.refused = true
    server.world.server.drop(ada.uplink)
    await clock.run(100)
    for (let data = 1; data <= 300; data += 1) publish(server, data)
    ada.uplink.refused = false
    await clock.run(15_000)
    expect(missed).toEqual([44])
    expect(texts(messages)).toEqual([0, ...Array.from({ length: 256 }, (_, index) => index + 45)])
  })

  it('that nobody reads is forgotten, and told as missed', async () => {
    const server = new Server(28)
    const ada = server.join('ada', token({}))
    await server.world.clock.run(1_000)
    const missed: number[] = []
    ada.room.on('missed', (told) => void missed.push(told.messages))
    for (let data = 1; data <= 258; data += 1) publish(server, data)
    await server.world.clock.run(1_000)
    expect(missed).toEqual([1, 1])
    const messages = heard(ada)
    await server.world.clock.run(100)
    expect(texts(messages).at(0)).toBe(3)
    expect(messages).toHaveLength(256)
  })

  it('goes on after the server was started anew', async () => {
    const server = new Server(24)
    const { clock } = server.world
    const ada = server.join('ada', token({}))
    await clock.run(1_000)
    const messages = heard(ada)
    publish(server, 1)
    publish(server, 2)
    await clock.run(1_000)
    server.world.server.kill()
    await clock.run(100)
    server.world.server.start()
    await clock.run(10_000)
    publish(server, 3)
    await clock.run(1_000)
    expect(texts(messages)).toEqual([1, 2, 3])
  })

  it('is what a member without the right to see others is there for', async () => {
    const server = new Server(25)
    const ada = server.join('ada', token({}))
    const hidden = server.join('hidden', token({ userId: 'h', rights: [] }))
    await server.world.clock.run(60_000)
    expect([ada.room.peers.size, hidden.room.peers.size]).toEqual([0, 0])
    const messages = heard(hidden)
    publish(server, 1)
    await server.world.clock.run(60_000)
    expect(texts(messages)).toEqual([1])
    expect(hidden.room.stats().reconnections).toBe(0)
  })

  it('is not what a removed member gets', async () => {
    const server = new Server(26)
    const ada = server.join('ada', token({}))
    await server.world.clock.run(1_000)
    server.world.server.hub?.directory.close('lobby')
    await server.world.clock.run(1_000)
    expect(await ada.room.closed).toMatchObject({ code: 'removed' })
    expect(publish(server, 1)).toBe(0)
  })
})
