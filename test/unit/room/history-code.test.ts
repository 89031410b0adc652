import { describe, expect, it } from 'vitest'
import { RoomHistory } from '../../../web/client/history/room-history.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'
import { dataOf, heard, KeptWorld, upTo } from './kept-world.ts'

/** Its files are out of reach until `there`. */
class AwayWorld extends KeptWorld {
  there: boolean

  constructor(seed: number) {
    super(seed, undefined, {
      historyCode: async () => {
        if (this.there) return RoomHistory
        throw new TypeError('Failed to fetch dynamically imported module')
      },
    })
    this.there = false
  }
}

describe('while the code of the history cannot be loaded', () => {
  it('what is live goes on, and when it comes, what was missed does, each message once', async () => {
    const world = new AwayWorld(1)
    world.there = true
    const ada = await world.entered('ada')
    const chat = ada.room.channel<number>('chat')
    for (const n of upTo(5)) chat.send(n, { store: true })
    await world.clock.run(1_000)
    world.there = false
    const bob = await world.entered('bob', { history: { last: 2 } })
    const messages = heard(bob.room)
    await world.clock.run(500)
    for (const n of upTo(9).slice(5)) chat.send(n, { store: true })
    await world.clock.run(500)
    expect(dataOf(messages)).toEqual([6, 7, 8, 9])
    // Out of the server's reach for longer than it is waited for.
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(60_000)
    chat.send(10, { store: true })
    bob.uplink.refused = false
    world.there = true
    await world.clock.run(60_000)
    expect(dataOf(messages)).toEqual([6, 7, 8, 9, 4, 5, 10])
    expect(bob.room.cursor?.offset).toBe(10)
  })

  it('what is to be stored waits for it, and leaving waits for that', async () => {
    const world = new AwayWorld(2)
    const ada = await world.entered('ada')
    const { stored } = ada.room.channel('chat').send('x', { store: true })
    const left = ada.room.leave({ flushMs: 60_000 })
    await world.clock.run(3_000)
    world.there = true
    await world.clock.run(30_000)
    await left
    expect(await outcomeOf(stored)).toMatchObject({ offset: 1 })
  })

  it('it is said after half a minute, and the next one tries again', async () => {
    const world = new AwayWorld(3)
    const ada = await world.entered('ada')
    const { stored } = ada.room.channel('chat').send('x', { store: true })
    await world.clock.run(90_000)
    expect(await outcomeOf(stored)).toEqual({ rejected: 'unsupported' })
    world.there = true
    const later = ada.room.channel('chat').send('y', { store: true })
    await world.clock.run(40_000)
    expect(await outcomeOf(later.stored)).toMatchObject({ offset: 1 })
  })

  it('what waits for it rejects when the room is left', async () => {
    const world = new AwayWorld(4)
    const ada = await world.entered('ada')
    const { stored } = ada.room.channel('chat').send('x', { store: true })
    void ada.room.leave()
    await world.clock.run(1_000)
    expect(await outcomeOf(stored)).toEqual({ rejected: 'closed' })
    expect(await outcomeOf(ada.room.history())).toEqual({ rejected: 'closed' })
  })
})

it('who stores something and leaves at once, alone in the room, has it stored', async () => {
  const world = new KeptWorld(5)
  const ada = await world.entered('ada')
  const { stored } = ada.room.channel('chat').send('x', { store: true })
  void ada.room.leave({ flushMs: 5_000 })
  await world.clock.run(6_000)
  expect(await outcomeOf(stored)).toMatchObject({ offset: 1 })
})
