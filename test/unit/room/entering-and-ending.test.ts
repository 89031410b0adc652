import { expect, it } from 'vitest'
import { SimWorld } from '../../simulation/sim-world.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'

const code = ({ code }: { readonly code: string }): string => code

it('a member is told of as joined before anything of it changes', async () => {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada')
  const told: string[] = []
  for (const name of ['join', 'change'] as const) ada.room.on(name, () => told.push(name))
  await world.clock.run(500)
  world.join('lobby', 'bob')
  await world.clock.run(2_000)
  expect(told[0]).toBe('join')
  expect(told.filter((name) => name === 'join')).toEqual(['join'])
  expect(told).toContain('change')
})

it('those who are there are told of, too, before `ready` resolves', async () => {
  const world = new SimWorld(2)
  world.join('lobby', 'ada', { profile: 'Ada' })
  await world.clock.run(500)
  const bob = world.join('lobby', 'bob')
  const told: unknown[] = []
  bob.room.on('join', ({ profile }) => told.push(profile))
  void bob.room.ready.then(() => told.push('ready'))
  await world.clock.run(500)
  expect(told).toEqual(['Ada', 'ready'])
})

it('the map of peers is a new one at every change, also of a path', async () => {
  const world = new SimWorld(3)
  const ada = world.join('lobby', 'ada')
  const maps = new Set([ada.room.peers])
  let events = 0
  for (const name of ['join', 'change', 'leave'] as const) {
    ada.room.on(name, () => {
      events += 1
      maps.add(ada.room.peers)
    })
  }
  await world.clock.run(500)
  const bob = world.join('lobby', 'bob')
  await world.clock.run(2_000)
  expect([...ada.room.peers.values()].map(({ path }) => path)).toEqual(['direct'])
  void bob.room.leave()
  await world.clock.run(500)
  expect(events).toBeGreaterThan(3)
  expect(maps.size).toBe(events + 1)
})

it('a room that is entered, left at once and entered again (StrictMode) shows the others one coming', async () => {
  const world = new SimWorld(4)
  const ada = world.join('lobby', 'ada')
  const told: string[] = []
  const heard: string[] = []
  for (const name of ['join', 'leave'] as const) ada.room.on(name, () => told.push(name))
  ada.room.channel<string>('chat').on('message', ({ data }) => heard.push(data))
  await world.clock.run(500)
  const first = world.join('lobby', 'bob')
  const left = first.room.leave()
  const second = world.join('lobby', 'bob')
  second.room.channel<string>('chat').send('hello')
  expect(await outcomeOf(left)).not.toBe('pending')
  expect(await outcomeOf(first.room.ready)).toEqual({ rejected: 'closed' })
  expect(await first.room.closed).toBeUndefined()
  await world.clock.run(2_000)
  expect(told).toEqual(['join'])
  expect(heard).toEqual(['hello'])
})

it('a room whose signal has fired already is over at once, and reaches for no server', async () => {
  const world = new SimWorld(5)
  const reason = new Error('the page is closing')
  const { room } = world.join('lobby', 'ada', { signal: AbortSignal.abort(reason) })
  expect(room.status).toBe('closed')
  expect(await room.closed).toMatchObject({ code: 'aborted', cause: reason })
  await expect(room.ready).rejects.toMatchObject({ code: 'aborted' })
  expect(world.clock.pending).toBe(0)
})

it('after the end nothing waits for ever: channels end, sending throws, asking and a new profile reject', async () => {
  const world = new SimWorld(6)
  const { room } = world.join('lobby', 'ada')
  const before = room.channel('before')[Symbol.asyncIterator]().next()
  await world.clock.run(500)
  const left = room.leave()
  await world.clock.run(500)
  await left
  const peer = '0123456789abcdef' as Parameters<ReturnType<typeof room.procedure>>[0]
  expect(await before).toEqual({ done: true, value: undefined })
  expect(await room.channel('after')[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
  const closed = expect.objectContaining({ code: 'closed' })
  expect(() => room.channel('after').send('hello')).toThrow(closed)
  expect(() => room.channel('after').offer(new Blob(['x']))).toThrow(closed)
  expect(() => room.latest('position').set(1)).toThrow(closed)
  expect(await room.procedure('sum')(peer, 1).catch(code)).toBe('closed')
  expect(await room.setProfile('Eve').catch(code)).toBe('closed')
  expect(world.clock.pending).toBe(0)
})
