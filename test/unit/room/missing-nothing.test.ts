import { describe, expect, it } from 'vitest'
import type { Access } from '../../../signaling/access/access-tokens.ts'
import { OPEN_GRANT } from '../../../signaling/access/grant.ts'
import type { Json } from '../../../signaling/protocol/index.ts'
import type { HistoryCursor, JoinOptions, Message, ReadNotice, Room } from '../../../web/client/face.ts'
import type { SimClient } from '../../simulation/sim-world.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'
import { dataOf, heard, KeptWorld, upTo } from './kept-world.ts'

const HISTORY = { sealing: 'open', paths: ['relay'], history: {} } as const satisfies JoinOptions
const from = (first: number, last: number): number[] => upTo(last).slice(first - 1)

/** Out of the server's reach until it is let back. */
function away(world: KeptWorld, { uplink }: SimClient): () => Promise<void> {
  uplink.refused = true
  world.server.drop(uplink)
  return async () => {
    uplink.refused = false
    await world.clock.run(30_000)
  }
}

/** Not caught up: its question has not been answered. */
async function justEntered(world: KeptWorld): Promise<SimClient> {
  const bob = world.join('lobby', 'bob', HISTORY, 100)
  while (bob.room.status !== 'online') await world.clock.run(5)
  return bob
}

describe('a member that follows the log, and was away', () => {
  it('gets all that it missed, though it reads slowly and its carrier changes meanwhile', async () => {
    const world = new KeptWorld(1, 'lobby;messages=10000')
    await world.putNumbers([1])
    const bob = await world.entered('bob', HISTORY)
    const reader = bob.room.channel<number>('chat')[Symbol.asyncIterator]()
    await world.clock.run(1_000)
    const back = away(world, bob)
    await world.putNumbers(from(2, 1_500))
    await back()
    world.server.drop(bob.uplink)
    await world.clock.run(15_000)
    const numbers: number[] = []
    for (const _ of from(2, 1_500)) {
      const next = reader.next()
      await world.clock.run(20)
      const outcome = (await outcomeOf(next)) as { readonly value?: Message<number> }
      if (outcome.value !== undefined) numbers.push(outcome.value.data)
    }
    expect(numbers).toEqual(from(2, 1_500))
  })

  it('is not given again what came by direct paths, whatever else came by them', async () => {
    const world = new KeptWorld(2)
    const ada = await world.entered('ada', { paths: ['direct', 'relay'] })
    const bob = await world.entered('bob', { paths: ['direct', 'relay'], history: {} })
    const messages = heard(bob.room)
    heard(bob.room, 'notes')
    await world.clock.run(5_000)
    const back = away(world, bob)
    await world.clock.run(1_000)
    for (const n of upTo(5)) ada.room.channel<number>('chat').send(n, { store: true })
    await world.clock.run(1_000)
    expect(dataOf(messages)).toEqual(upTo(5))
    for (const n of upTo(5_000)) {
      ada.room.channel<number>('notes').send(n)
      if (n % 20 === 0) await world.clock.run(50)
    }
    await back()
    expect(dataOf(messages)).toEqual(upTo(5))
    expect(bob.room.cursor?.offset).toBe(5)
  })

  it.each([2, 1_500])('before it could ask for anything, gets what it missed (%i)', async (count) => {
    const world = new KeptWorld(3, 'lobby;messages=10000')
    await world.putNumbers([1])
    const bob = await justEntered(world)
    const messages = heard(bob.room)
    const back = away(world, bob)
    // Longer than its grace.
    await world.clock.run(60_000)
    await world.putNumbers(from(2, 1 + count))
    await world.clock.run(60_000)
    await back()
    expect(dataOf(messages)).toEqual(from(2, 1 + count))
  })

  it('gets what was stored while it asked for the first time, however much', async () => {
    const world = new KeptWorld(4)
    await world.putNumbers([1])
    const bob = await justEntered(world)
    const messages = heard(bob.room)
    await world.putNumbers(from(2, 100))
    await world.clock.run(15_000)
    expect(dataOf(messages)).toEqual(from(2, 100))
  })

  it('gets each message once of a member that came back as a new one, while its old path still keeps it', async () => {
    const world = new KeptWorld(8)
    const ada = await world.entered('ada', { paths: ['direct', 'relay'] })
    const bob = await world.entered('bob', { paths: ['direct', 'relay'], history: {} })
    const messages = heard(bob.room)
    await world.clock.run(5_000)
    ada.uplink.refused = true
    world.server.drop(ada.uplink)
    await world.clock.run(60_000)
    ada.uplink.refused = false
    for (let at = 0; at < 3_000 && bob.room.peers.size < 2; at += 1) await world.clock.run(20)
    expect([...bob.room.peers.values()].map(({ presence }) => presence)).toEqual(['away', 'here'])
    ada.room.channel<number>('chat').send(1, { store: true })
    await world.clock.run(10_000)
    expect(dataOf(messages)).toEqual([1])
    expect(bob.room.cursor?.offset).toBe(1)
  })

  it('is told what is gone of a log that began meanwhile', async () => {
    const world = new KeptWorld(5, 'lobby;messages=10')
    const bob = await world.entered('bob', HISTORY)
    const messages = heard(bob.room)
    const reasons: string[] = []
    bob.room.on('forgotten', ({ reason }) => reasons.push(reason))
    const back = away(world, bob)
    await world.putNumbers(upTo(20))
    await back()
    expect(dataOf(messages)).toEqual(from(11, 20))
    expect(reasons).toEqual(['age'])
  })
})

describe('the devices of a user', () => {
  /** A token is its user's name. */
  const access: Access = { check: async (token) => ({ ...OPEN_GRANT, userId: token }) }
  const as = (accessToken: string, more: JoinOptions = {}): JoinOptions => ({ ...HISTORY, accessToken, ...more })

  it('hear how far another one has read while they were away', async () => {
    const world = new KeptWorld(6, 'lobby;mail=100', { access })
    const bo = await world.entered('bo', as('bo'))
    const phone = await world.entered('phone', as('ada'))
    const laptop = await world.entered('laptop', as('ada'))
    const told: ReadNotice[] = []
    phone.room.on('read', (notice) => told.push(notice))
    const chat = bo.room.channel<number>('chat')
    const places = upTo(3).map((n) => chat.send(n, { store: true }).stored)
    chat.send(4, { user: 'ada' })
    await world.clock.run(1_000)
    const { epoch } = (await places[0]) as HistoryCursor
    const back = away(world, phone)
    await world.clock.run(60_000)
    const mailbox = laptop.room.history({ mail: true })
    await world.clock.run(1_000)
    const mail = (await mailbox).newest as HistoryCursor
    const reader: Room<Json> = laptop.room
    void reader.markRead({ epoch, offset: 2 })
    void reader.markRead({ ...mail, mail: true })
    await world.clock.run(1_000)
    await back()
    expect(told).toEqual([
      { userId: 'ada', epoch, offset: 2, mail: false },
      { userId: 'ada', ...mail, mail: true },
    ])
    void phone.room.markRead({ epoch, offset: 3 })
    await world.clock.run(1_000)
    await away(world, phone)()
    expect(told).toHaveLength(2)
  })

  it('know how far they have read, though they say less afterwards', async () => {
    const world = new KeptWorld(9, undefined, { access })
    await world.putNumbers(upTo(3))
    const phone = await world.entered('phone', as('ada'))
    const told: ReadNotice[] = []
    phone.room.on('read', (notice) => told.push(notice))
    const { epoch } = phone.room.cursor as HistoryCursor
    for (const offset of [3, 1]) {
      const marked = phone.room.markRead({ epoch, offset })
      await world.clock.run(1_000)
      await marked
    }
    await away(world, phone)()
    expect(told).toEqual([])
  })

  it('find all their mail of a mailbox that was begun anew meanwhile, however much, from where one has read', async () => {
    const world = new KeptWorld(7, 'lobby;messages=1000;mail=1000', { access })
    const bo = await world.entered('bo', as('bo'))
    const phone = await world.entered('phone', as('ada'))
    const messages = heard(phone.room)
    const chat = bo.room.channel<number>('chat')
    chat.send(0, { user: 'ada' })
    await world.clock.run(3_000)
    const back = away(world, phone)
    await world.clock.run(60_000)
    await world.store.clear({ room: 'lobby', user: 'ada' })
    for (const n of upTo(600)) {
      chat.send(n, { user: 'ada' })
      if (n % 20 === 0) await world.clock.run(200)
    }
    await back()
    expect(dataOf(messages)).toEqual([0, ...upTo(600)])
  })
})
