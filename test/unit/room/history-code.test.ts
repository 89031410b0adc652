import { describe, expect, it } from 'vitest'
import type { Access } from '../../../signaling/access/access-tokens.ts'
import { OPEN_GRANT } from '../../../signaling/access/grant.ts'
import type { JoinOptions } from '../../../web/client/face.ts'
import { HistoryOnDemand } from '../../../web/client/history/on-demand.ts'
import { RoomHistory } from '../../../web/client/history/room-history.ts'
import { newSecret } from '../../../web/client/identity.ts'
import type { Welcome } from '../../../web/client/uplink/contract.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
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

/** Its files are on their way until they have `come`. */
class SlowWorld extends KeptWorld {
  readonly come: () => void

  constructor(seed: number, rule?: string, more: { readonly access?: Access } = {}) {
    let come = (): void => {}
    const coming = new Promise<typeof RoomHistory>((resolve) => {
      come = () => resolve(RoomHistory)
    })
    super(seed, rule, { ...more, historyCode: () => coming })
    this.come = come
  }
}

const BOTH_PATHS = ['direct', 'relay'] as const satisfies JoinOptions['paths']

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

  it('what came live is known, whatever else came', async () => {
    const world = new AwayWorld(6)
    world.there = true
    const ada = await world.entered('ada', { paths: BOTH_PATHS })
    await outcomeOf(ada.room.history())
    world.there = false
    const bob = await world.entered('bob', { paths: BOTH_PATHS, history: {} })
    const messages = heard(bob.room)
    const notes = heard(bob.room, 'notes')
    await world.clock.run(2_000)
    for (const n of upTo(3)) ada.room.channel<number>('chat').send(n, { store: true })
    await world.clock.run(1_000)
    expect(dataOf(messages)).toEqual(upTo(3))
    for (const n of upTo(4_200)) {
      ada.room.channel<number>('notes').send(n)
      if (n % 20 === 0) await world.clock.run(50)
    }
    world.there = true
    await world.clock.run(60_000)
    expect(notes).toHaveLength(4_200)
    expect(dataOf(messages)).toEqual(upTo(3))
    expect(bob.room.cursor?.offset).toBe(3)
  })

  it('leaving does not wait for what nobody needs any more', async () => {
    const world = new AwayWorld(7)
    const bob = await world.entered('bob', { history: {} })
    const left = bob.room.leave({ flushMs: 60_000 })
    await world.clock.run(1_000)
    expect(await outcomeOf(left)).toBeUndefined()
    expect(bob.room.status).toBe('closed')
  })
})

describe('while the code of the history is on its way', () => {
  it('what is live waits for it, but no more than some seconds', async () => {
    const world = new SlowWorld(8)
    await world.putNumbers(upTo(5))
    const ada = await world.entered('ada')
    const bob = await world.entered('bob', { history: { last: 2 } })
    const messages = heard(bob.room)
    ada.room.channel<number>('chat').send(6)
    await world.clock.run(2_000)
    expect(dataOf(messages)).toEqual([])
    await world.clock.run(4_000)
    expect(dataOf(messages)).toEqual([6])
    world.come()
    await world.clock.run(1_000)
    expect(dataOf(messages)).toEqual([6, 4, 5])
  })

  it('a signed channel does not wait: nothing of it is stored', async () => {
    const world = new SlowWorld(9)
    const sealed = { sealing: undefined, secret: newSecret() } as unknown as JoinOptions
    const ada = await world.entered('ada', sealed)
    const bob = await world.entered('bob', { ...sealed, history: {} })
    const messages: unknown[] = []
    bob.room.channel<string>('chat', { signed: true }).on('message', ({ data }) => messages.push(data))
    const { delivered } = ada.room.channel<string>('chat', { signed: true }).send('x')
    await world.clock.run(1_000)
    expect(messages).toEqual(['x'])
    expect(await outcomeOf(delivered)).toMatchObject({ to: [bob.room.self?.id] })
  })

  it('and the server out of reach when it comes, direct paths go on', async () => {
    const world = new SlowWorld(10)
    const ada = await world.entered('ada', { paths: BOTH_PATHS })
    const bob = await world.entered('bob', { paths: BOTH_PATHS, history: {} })
    const messages = heard(bob.room)
    await world.clock.run(5_000)
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(1_000)
    world.come()
    ada.room.channel<number>('chat').send(1)
    await world.clock.run(6_000)
    expect(dataOf(messages)).toEqual([1])
  })

  it('what waits for mail alone is handed on when it comes', async () => {
    const access: Access = { check: async (token) => ({ ...OPEN_GRANT, userId: token }) }
    const world = new SlowWorld(11, 'lobby;mail=100', { access })
    const ada = await world.entered('ada', { accessToken: 'ada' })
    const bob = await world.entered('bob', { accessToken: 'bob' })
    const messages = heard(bob.room)
    ada.room.channel<number>('chat').send(1)
    await world.clock.run(500)
    expect(dataOf(messages)).toEqual([])
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(100)
    world.come()
    await world.clock.run(100)
    expect(dataOf(messages)).toEqual([1])
  })

  it('a welcome that comes with it is heard', async () => {
    const welcomed: Welcome[] = []
    const history = {
      hear: () => true,
      welcome: (message: Welcome) => welcomed.push(message),
    } as unknown as RoomHistory
    const clock = new SimClock()
    const closed = new Promise<undefined>(() => {})
    const demand = new HistoryOnDemand({ load: async () => () => history, clock, closed, release: () => {} })
    const first = { re: 1 } as Welcome
    const second = { re: 2 } as Welcome
    demand.welcome(first)
    demand.follow()
    for (let turn = 0; turn < 100 && demand.hear !== history.hear; turn += 1) await undefined
    demand.welcome(second)
    expect(welcomed).toEqual([first, second])
    demand.close()
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
