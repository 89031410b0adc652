import { describe, expect, it } from 'vitest'
import type { JoinOptions, Payload } from '../../../web/client/face.ts'
import { RoomClaims } from '../../../web/client/room-claims.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'

const SECRET = 'AAECAwQFBgcICQoLDA0ODw'

interface Person extends SimClient {
  readonly heard: unknown[]
  readonly told: string[]
}

function person(world: SimWorld, name: string, options: JoinOptions = {}, signed = true): Person {
  const client = world.join('lobby', name, { secret: SECRET, paths: ['relay'], ...options })
  const heard: unknown[] = []
  const told: string[] = []
  client.room.channel('chat', { signed }).on('message', ({ data }) => heard.push(data))
  client.room.on('refused', ({ error }) => told.push(error.code))
  client.room.on('gap', ({ reason }) => told.push(`gap: ${reason}`))
  return { ...client, heard, told }
}

const chat = ({ room }: SimClient, signed = true) => room.channel<Payload>('chat', { signed })

describe('a signed channel', () => {
  it('hands on what was said to the room and to one, in order, also before anybody has loaded anything', async () => {
    const world = new SimWorld(1)
    const ada = person(world, 'ada')
    const bob = person(world, 'bob')
    await world.clock.run(500)
    const first = chat(ada).send('one')
    chat(ada).send('two')
    const carol = person(world, 'carol')
    await world.clock.run(1_000)
    chat(ada).send('three')
    await world.clock.run(500)
    chat(ada).send('for bob', { to: bob.room.self?.id as never })
    await world.clock.run(1_000)
    expect(bob.heard).toEqual(['one', 'two', 'three', 'for bob'])
    expect(carol.heard).toEqual(['three'])
    expect(await first.delivered).toEqual({ to: [bob.room.self?.id], missed: new Map() })
    expect([...ada.told, ...bob.told, ...carol.told]).toEqual([])
  })

  it('carries JSON, text and bytes of any size, by the relay and by direct paths', async () => {
    const world = new SimWorld(2)
    const ada = person(world, 'ada', { paths: ['direct', 'relay'] })
    const bob = person(world, 'bob', { paths: ['direct', 'relay'] })
    const carol = person(world, 'carol')
    await world.clock.run(3_000)
    const large = Uint8Array.from({ length: 100_000 }, (_, at) => at & 255)
    for (const data of [{ n: 1 }, 'text', large, Uint8Array.of(7)]) chat(ada).send(data)
    for (let n = 0; n < 50; n += 1) chat(ada).send(n)
    await world.clock.run(5_000)
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    expect(bob.heard).toEqual([{ n: 1 }, 'text', large, Uint8Array.of(7), ...numbers])
    expect(carol.heard).toEqual(bob.heard)
    expect([...bob.room.peers.values()].map(({ path }) => path)).toContain('direct')
    expect([...bob.told, ...carol.told]).toEqual([])
  })

  it('waits for its application as any other does', async () => {
    const world = new SimWorld(3)
    const ada = person(world, 'ada')
    const bob = world.join('lobby', 'bob', { secret: SECRET, paths: ['relay'] })
    const late = bob.room.channel('chat', { signed: true })
    await world.clock.run(500)
    const sent = chat(ada).send('early')
    await world.clock.run(2_000)
    const heard: unknown[] = []
    late.on('message', ({ data }) => heard.push(data))
    await world.clock.run(1_000)
    expect(heard).toEqual(['early'])
    expect((await sent.delivered).missed.size).toBe(0)
  })

  it('is opened later than it is spoken on, and hears everything', async () => {
    const world = new SimWorld(4)
    const ada = person(world, 'ada')
    const bob = world.join('lobby', 'bob', { secret: SECRET, paths: ['relay'] })
    await world.clock.run(500)
    for (let n = 0; n < 3; n += 1) chat(ada).send(n)
    await world.clock.run(1_000)
    const heard: unknown[] = []
    bob.room.channel('chat', { signed: true }).on('message', ({ data }) => heard.push(data))
    await world.clock.run(1_000)
    expect(heard).toEqual([0, 1, 2])
  })

  it('starts for a newcomer with the next message, whatever was said to nobody', async () => {
    const world = new SimWorld(5)
    const ada = person(world, 'ada')
    await world.clock.run(500)
    for (let n = 0; n < 5; n += 1) chat(ada).send(n)
    await world.clock.run(500)
    const bob = person(world, 'bob')
    await world.clock.run(1_000)
    chat(ada).send('after')
    await world.clock.run(1_000)
    expect(bob.heard).toEqual(['after'])
    expect(bob.told).toEqual([])
  })

  it('does not hear a member that does not sign, which is told of', async () => {
    const world = new SimWorld(6)
    const ada = person(world, 'ada', {}, false)
    const bob = person(world, 'bob')
    await world.clock.run(500)
    chat(ada, false).send('unsigned')
    await world.clock.run(1_000)
    expect(bob.heard).toEqual([])
    expect(bob.told).toEqual(['unsigned'])
    chat(bob).send('signed')
    await world.clock.run(1_000)
    expect(ada.heard).toEqual([])
  })

  it('is what its application said first, and needs a sealed room', async () => {
    const world = new SimWorld(7)
    const { room } = person(world, 'ada')
    expect(() => room.channel('chat')).toThrow(expect.objectContaining({ code: 'bad-argument' }))
    expect(room.channel('chat', { signed: true })).toBe(room.channel('chat', { signed: true }))
    const open = world.join('open', 'eve', { sealing: 'open' })
    expect(() => open.room.channel('chat', { signed: true })).toThrow(expect.objectContaining({ code: 'bad-argument' }))
  })

  it('goes on when one is cut off, and when one comes back as somebody new', async () => {
    const world = new SimWorld(8)
    const ada = person(world, 'ada')
    const bob = person(world, 'bob')
    await world.clock.run(500)
    chat(ada).send('before')
    await world.clock.run(500)
    for (const pipe of [bob.uplink.up, bob.uplink.down]) pipe.blackhole = true
    await world.clock.run(60_000)
    chat(ada).send('meanwhile')
    await world.clock.run(1_000)
    for (const pipe of [bob.uplink.up, bob.uplink.down]) pipe.blackhole = false
    await world.clock.run(15_000)
    chat(ada).send('after')
    chat(bob).send('back')
    await world.clock.run(2_000)
    expect(bob.heard).toEqual(['before', 'after'])
    expect(ada.heard).toEqual(['back'])
    expect(bob.told).toEqual(['gap: expired'])
    expect(ada.told).toEqual([])
  })

  it('offers files to each, so that nobody else can offer them', async () => {
    const world = new SimWorld(9)
    const ada = person(world, 'ada')
    const bob = person(world, 'bob')
    const carol = person(world, 'carol', {}, false)
    await world.clock.run(500)
    const names: string[] = []
    for (const one of [bob, carol]) {
      chat(one, one === bob).on('offer', ({ name }) => names.push(`${one.name} ${name}`))
    }
    chat(ada).offer(new Blob(['x']), { name: 'plan' })
    await world.clock.run(500)
    expect(names).toEqual(['bob plan', 'carol plan'])
    // To the room, as one who does not sign offers it.
    chat(carol, false).offer(new Blob(['y']), { name: 'other' })
    await world.clock.run(500)
    expect(names).toEqual(['bob plan', 'carol plan'])
    expect(bob.told).toEqual(['unsigned'])
  })
})

describe('without the code for it', () => {
  it('rejects what it cannot sign, holds nothing else up, and goes on when the code is there', async () => {
    let there = false
    const world = new SimWorld(10, {
      claims: async () => {
        if (!there) throw new Error('away')
        return RoomClaims
      },
    })
    const ada = person(world, 'ada')
    const bob = person(world, 'bob')
    await world.clock.run(500)
    const lost = chat(ada).send('lost')
    const accepted = expect(lost.accepted).rejects.toMatchObject({ code: 'unsupported' })
    const other: unknown[] = []
    bob.room.channel('other').on('message', ({ data }) => other.push(data))
    for (let n = 0; n < 2_000; n += 1)
      chat(ada)
        .send(n)
        .accepted.catch(() => {})
    ada.room.channel('other').send('not held up')
    await world.clock.run(7_000)
    expect(other).toEqual(['not held up'])
    await accepted
    expect((await lost.delivered).to).toEqual([])
    there = true
    await world.clock.run(10_000)
    chat(ada).send('signed')
    await world.clock.run(1_000)
    expect(bob.heard).toEqual(['signed'])
    expect(bob.told).toEqual(['gap: withheld'])
  })
})
