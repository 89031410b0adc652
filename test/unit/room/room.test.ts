import { afterEach, describe, expect, it, vi } from 'vitest'
import type { PeerId } from '../../../signaling/protocol/index.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

async function two(paths: readonly ('direct' | 'relay')[] = ['relay']) {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada', { paths })
  const bob = world.join('lobby', 'bob', { paths })
  await world.clock.run(1_000)
  return { world, ada, bob }
}

const idOf = ({ room }: SimClient): PeerId => room.self?.id as PeerId

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a handler', () => {
  it('may send, whatever it handles', async () => {
    const world = new SimWorld(2)
    const ada = world.join('lobby', 'ada')
    const greeted: string[] = []
    const chat = ada.room.channel<string>('chat')
    ada.room.on('join', ({ id }) => chat.send(`welcome ${id}`, { to: id }))
    ada.room.on('leave', () => chat.send('somebody left'))
    ada.room.on('change', ({ path }) => chat.send(`now ${path}`))
    await world.clock.run(500)
    const bob = world.join('lobby', 'bob')
    const eve = world.join('lobby', 'eve')
    bob.room.channel<string>('chat').on('message', ({ data }) => greeted.push(data))
    await world.clock.run(2_000)
    void eve.room.leave()
    await world.clock.run(2_000)
    expect(greeted).toContain(`welcome ${idOf(bob)}`)
    expect(greeted).toContain('now direct')
    expect(greeted).toContain('somebody left')
  })

  it('may answer every message, for a long time', async () => {
    const { world, ada, bob } = await two(['direct', 'relay'])
    const heard: number[] = []
    const back = bob.room.channel<number>('ball')
    back.on('message', ({ data, from }) => void back.send(data + 1, { to: from }))
    const ball = ada.room.channel<number>('ball')
    ball.on('message', ({ data }) => {
      heard.push(data)
      if (data < 400) ball.send(data + 1)
    })
    ball.send(0)
    await world.clock.run(30_000)
    expect(heard).toEqual(upTo(201).map((n) => 2 * n + 1))
  })

  it('that throws harms neither the others nor the order, and its error surfaces', async () => {
    const { world, ada, bob } = await two()
    const errors: unknown[] = []
    const later = queueMicrotask
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) =>
      later(() => {
        try {
          run()
        } catch (error) {
          errors.push(error)
        }
      }),
    )
    const heard: number[] = []
    const chat = bob.room.channel<number>('chat')
    chat.on('message', () => {
      throw new Error('in the handler')
    })
    chat.on('message', ({ data }) => heard.push(data))
    const sent = upTo(3).map((n) => ada.room.channel<number>('chat').send(n))
    await world.clock.run(500)
    expect(heard).toEqual([0, 1, 2])
    expect(errors.length).toBe(3)
    for (const { delivered } of sent)
      expect((await outcomeOf(delivered)) as object).toMatchObject({ missed: new Map() })
  })
})

describe('readers of a channel', () => {
  it('each get everything, at the pace of the slowest', async () => {
    const { world, ada, bob } = await two()
    const chat = bob.room.channel<number>('chat')
    const read = async (pauseMs: number): Promise<number[]> => {
      const heard: number[] = []
      for await (const { data } of chat) {
        heard.push(data)
        if (data === 29) break
        if (pauseMs > 0) await new Promise<void>((resolve) => world.clock.setTimeout(resolve, pauseMs))
      }
      return heard
    }
    const readers = Promise.all([read(0), read(40)])
    for (const n of upTo(30)) ada.room.channel<number>('chat').send(n)
    await world.clock.run(5_000)
    expect(await outcomeOf(readers)).toEqual([upTo(30), upTo(30)])
  })

  it('that stop reading let the others go on', async () => {
    const { world, ada, bob } = await two()
    const chat = bob.room.channel<number>('chat')
    const idle = chat[Symbol.asyncIterator]()
    const heard: number[] = []
    chat.on('message', ({ data }) => heard.push(data))
    for (const n of upTo(5)) ada.room.channel<number>('chat').send(n)
    await world.clock.run(500)
    expect(heard).toEqual([0])
    await idle.return?.()
    await world.clock.run(500)
    expect(heard).toEqual(upTo(5))
  })
})

describe('a message', () => {
  it('to one who is away arrives when it is back', async () => {
    const { world, ada, bob } = await two()
    const heard: string[] = []
    bob.room.channel<string>('chat').on('message', ({ data }) => heard.push(data))
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(3_000)
    expect(ada.room.peers.get(idOf(bob))?.presence).toBe('away')
    const sent = ada.room.channel<string>('chat').send('hello', { to: idOf(bob) })
    await world.clock.run(1_000)
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.uplink.refused = false
    await world.clock.run(10_000)
    expect(heard).toEqual(['hello'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: [idOf(bob)], missed: new Map() })
  })

  it('to one who never comes back is missed as left', async () => {
    const { world, ada, bob } = await two()
    const id = idOf(bob)
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(3_000)
    const sent = ada.room.channel<string>('chat').send('hello', { to: id })
    await world.clock.run(60_000)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: [id], missed: new Map([[id, 'left']]) })
  })

  it('given up before the room is entered is not sent', async () => {
    const world = new SimWorld(3)
    const ada = world.join('lobby', 'ada')
    await world.clock.run(500)
    const heard: string[] = []
    ada.room.channel<string>('chat').on('message', ({ data }) => heard.push(data))
    const bob = world.join('lobby', 'bob')
    const giveUp = new AbortController()
    const given = bob.room.channel<string>('chat').send('given up', { signal: giveUp.signal })
    bob.room.channel<string>('chat').send('kept')
    giveUp.abort()
    await world.clock.run(1_000)
    expect(heard).toEqual(['kept'])
    expect(await outcomeOf(given.accepted)).toEqual({ rejected: 'aborted' })
  })

  it('to a list, given up while it waits, is missed by those on the list', async () => {
    const { ada, bob } = await two()
    const id = idOf(bob)
    const files = ada.room.channel<Uint8Array>('files')
    for (const n of upTo(4)) files.send(new Uint8Array(2_000_000).fill(n), { to: id })
    const giveUp = new AbortController()
    const given = files.send(new Uint8Array(20_000), { to: [id], signal: giveUp.signal })
    giveUp.abort()
    expect(await outcomeOf(given.accepted)).toEqual({ rejected: 'aborted' })
    expect(await outcomeOf(given.delivered)).toEqual({ to: [id], missed: new Map([[id, 'aborted']]) })
    expect(() => files.send(new Uint8Array(), { signal: giveUp.signal })).toThrow(
      expect.objectContaining({ code: 'aborted' }),
    )
  })

  it('is waited for when the room is left with time to flush', async () => {
    const { world, ada, bob } = await two()
    const heard: number[] = []
    bob.room.channel<number>('chat').on('message', ({ data }) => heard.push(data))
    for (const n of upTo(50)) ada.room.channel<number>('chat').send(n)
    void ada.room.leave({ flushMs: 5_000 })
    await world.clock.run(1_000)
    expect(heard).toEqual(upTo(50))
    expect(ada.room.status).toBe('closed')
  })
})

describe('what others ask for', () => {
  it('never takes the channels that this member needs itself', async () => {
    const { world, ada, bob } = await two()
    const asked = upTo(200).map((n) => ada.room.procedure<number, number>(`p${n}`)(idOf(bob), n, { timeoutMs: 5_000 }))
    const codes = Promise.all(asked.map((answer) => answer.catch((error: { code: string }) => error.code)))
    await world.clock.run(10_000)
    const told = (await codes) as string[]
    expect(new Set(told)).toEqual(new Set(['no-handler', 'timeout']))
    expect(told[0]).toBe('no-handler')
    expect(() => {
      for (const n of upTo(150)) bob.room.channel(`mine ${n}`)
    }).not.toThrow()
  })

  it('includes the names of latest channels, which greetings tell to those who come later', async () => {
    const { world, ada } = await two()
    ada.room.latest<number>('position').set(7)
    await world.clock.run(5_000)
    const eve = world.join('lobby', 'eve')
    const seen: number[] = []
    eve.room.latest<number>('position').on('value', ({ value }) => seen.push(value))
    await world.clock.run(2_000)
    expect(new Set(seen)).toEqual(new Set([7]))
  })
})
