import { describe, expect, it } from 'vitest'
import { encodePlainBody, encodeText, type PeerId } from '../../../signaling/protocol/index.ts'
import type { OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import type { JoinOptions, Message, Payload } from '../../../web/client/face.ts'
import { newSecret } from '../../../web/client/identity.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import type { SimClient } from '../../simulation/sim-world.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'
import { dataOf, heard, KeptWorld, LOG, upTo } from './kept-world.ts'

const secret = newSecret()
const idOf = ({ room }: SimClient): PeerId => room.self?.id as PeerId
const plain = (text: string): Uint8Array => encodePlainBody({ content: 1, sentAtMs: 1_000, data: encodeText(text) })

describe('what is stored', () => {
  it('is in the log once, in order, though the uplink breaks and the server is killed meanwhile', async () => {
    const world = new KeptWorld(1)
    const ada = await world.entered('ada', { sealing: undefined, secret: newSecret() } as unknown as JoinOptions)
    const chat = ada.room.channel<number>('chat')
    const stored: Promise<unknown>[] = []
    for (const n of upTo(200)) {
      stored.push(chat.send(n, { store: true }).stored)
      if (n % 40 === 0) world.server.drop(ada.uplink)
      if (n === 100) world.server.kill()
      if (n === 120) world.server.start()
      await world.clock.run(n % 7 === 0 ? 150 : 3)
    }
    await world.clock.run(30_000)
    const places = (await outcomeOf(Promise.all(stored))) as { offset: number }[]
    expect(places.map(({ offset }) => offset)).toEqual(upTo(200))
    expect((await world.entries()).map(({ id }) => Number(id.split('-')[2]))).toEqual(upTo(200).map((n) => n - 1))
  })

  it('waits for the welcome, and is given up with what was given up before', async () => {
    const world = new KeptWorld(2)
    const ada = world.join('lobby', 'ada', { sealing: 'open', paths: ['relay'] })
    const giveUp = new AbortController()
    const chat = ada.room.channel<string>('chat')
    const given = chat.send('given up', { store: true, signal: giveUp.signal })
    const kept = chat.send('kept', { store: true })
    giveUp.abort()
    await world.clock.run(1_000)
    expect(await outcomeOf(given.stored)).toEqual({ rejected: 'aborted' })
    expect(await outcomeOf(kept.stored)).toMatchObject({ offset: 1 })
    expect(await world.entries()).toHaveLength(1)
  })

  it('is not, where it cannot be: in time, and with a typed error', async () => {
    const world = new KeptWorld(3)
    const refused = async (options: JoinOptions, channel = 'chat', data: Payload = 'x'): Promise<unknown> => {
      const client = await world.entered('ada', options)
      const { stored } = client.room.channel<Payload>(channel).send(data, { store: true })
      await world.clock.run(500)
      const outcome = await outcomeOf(stored)
      void client.room.leave()
      await world.clock.run(500)
      return outcome
    }
    expect(await refused({ sealing: undefined } as unknown as JoinOptions)).toEqual({ rejected: 'needs-secret' })
    expect(await refused({}, 'other')).toEqual({ rejected: 'not-kept' })
    expect(await refused({}, 'chat', new Uint8Array(61_500))).toEqual({ rejected: 'too-large' })
    const elsewhere = world.join('elsewhere', 'bob', { sealing: 'open' })
    const early = elsewhere.room.channel('chat').send('x', { store: true })
    await world.clock.run(500)
    expect(await outcomeOf(early.stored)).toEqual({ rejected: 'not-kept' })
    expect(await outcomeOf(elsewhere.room.history())).toEqual({ rejected: 'not-kept' })
    const chat = elsewhere.room.channel('chat', {})
    const wrong = { rejected: 'bad-argument' }
    expect(await outcomeOf(chat.send('x', { store: true, to: idOf(elsewhere) }).stored)).toEqual(wrong)
    expect(await outcomeOf(chat.send('x', { store: true, user: 'ada' }).stored)).toEqual(wrong)
  })

  it('rejects when the room is left, and what is asked for does', async () => {
    const world = new KeptWorld(4)
    const ada = await world.entered('ada')
    ada.uplink.refused = true
    world.server.drop(ada.uplink)
    await world.clock.run(100)
    const { stored } = ada.room.channel('chat').send('x', { store: true })
    const page = ada.room.history()
    await world.clock.run(1_000)
    void ada.room.leave()
    await world.clock.run(5_000)
    expect(await outcomeOf(stored)).toEqual({ rejected: 'closed' })
    expect(await outcomeOf(page)).toEqual({ rejected: 'closed' })
    expect(await outcomeOf(ada.room.readPositions())).toEqual({ rejected: 'closed' })
  })
})

describe('a member that follows the log', () => {
  it('hears the last messages before what is live', async () => {
    const world = new KeptWorld(5)
    const ada = await world.entered('ada')
    const chat = ada.room.channel<number>('chat')
    for (const n of upTo(10)) chat.send(n, { store: true })
    await world.clock.run(500)
    const bob = world.join('lobby', 'bob', { sealing: 'open', paths: ['relay'], history: { last: 4 } }, 100)
    const messages = heard(bob.room)
    let n = 10
    for (; n < 60; await world.clock.run(10)) chat.send(++n, { store: true })
    await world.clock.run(5_000)
    expect(dataOf(messages)).toEqual(upTo(60).slice(-messages.length))
    expect(messages.findIndex(({ stored }) => stored === undefined)).toBeGreaterThan(3)
    const live = messages.slice(messages.findIndex(({ stored }) => stored === undefined))
    expect(live.every(({ stored }) => stored === undefined)).toBe(true)
    expect(bob.room.cursor?.offset).toBe(60)
  })

  it('gets each message once, whatever paths, carriers and the server do', async () => {
    for (let seed = 100; seed < 112; seed += 1) {
      const world = new KeptWorld(seed)
      const random = new SeededRandom(seed)
      const sealed = seed % 3 === 0 ? ({ sealing: undefined, secret } as unknown as JoinOptions) : {}
      const options: JoinOptions = { ...sealed, paths: seed % 2 === 0 ? ['relay'] : ['direct', 'relay'] }
      const clients = [await world.entered('ada', options), await world.entered('eve', options)]
      const bob = await world.entered('bob', { ...options, history: { last: 100 } })
      const messages = heard(bob.room)
      const forgotten: string[] = []
      bob.room.on('forgotten', ({ reason }) => forgotten.push(reason))
      const stored: Promise<unknown>[] = []
      for (const n of upTo(120)) {
        const from = clients[n % 2] as SimClient
        stored.push(from.room.channel<number>('chat').send(n, { store: true }).stored)
        const one = [...clients, bob][random.integer(0, 3)] as SimClient
        const what = random.integer(0, 12)
        if (what === 0) world.server.drop(one.uplink)
        if (what === 1) one.uplink.refused = true
        if (what === 2) for (const { uplink } of world.clients) uplink.refused = false
        if (n === 60) world.server.kill()
        if (n === 64) world.server.start()
        await world.clock.run(random.integer(1, what > 9 ? 30_000 : 200))
      }
      for (const { uplink } of world.clients) uplink.refused = false
      await world.clock.run(90_000)
      expect(await outcomeOf(Promise.all(stored)), `${seed}`).toHaveLength(120)
      expect(
        [...dataOf(messages)].map(Number).sort((a, b) => a - b),
        `seed ${seed}`,
      ).toEqual(upTo(120))
      const fromLog = messages.flatMap(({ stored: place }) => (place === undefined ? [] : [place.offset]))
      expect(fromLog, `seed ${seed}`).toEqual([...fromLog].sort((a, b) => a - b))
      expect([bob.room.cursor?.offset, forgotten], `seed ${seed}`).toEqual([120, []])
    }
  }, 30_000)

  it('gets what a sender stored and could not deliver any more', async () => {
    const world = new KeptWorld(6)
    const bob = await world.entered('bob', { history: {} })
    const messages = heard(bob.room)
    await world.put({ body: plain('from the grave'), from: '00000000000000aa' as PeerId })
    const { store } = world
    await store.append(LOG, {
      ...{ id: `${'cd'.repeat(16)}-1-0`, channel: 'chat', from: undefined, userId: undefined, profile: undefined },
      body: plain('x'),
    })
    // The hub is not told of what is put there by hand: the next one tells of them.
    const ada = await world.entered('ada')
    ada.room.channel('chat').send('live', { store: true })
    await world.clock.run(1_000)
    expect(dataOf(messages)).toEqual(['live'])
    await world.clock.run(3_000)
    expect(dataOf(messages)).toEqual(['live', 'from the grave', 'x'])
    expect(bob.room.cursor?.offset).toBe(3)
  })

  it('hears a member, whatever another one says under its instance', async () => {
    const between = (name: string, open: OpenCarrier): OpenCarrier => {
      return (server, first, ...rest) => {
        const { joinKey, ...join } = JSON.parse(first)
        return open(server, JSON.stringify({ ...join, joinKey: name === 'eve' ? 'e'.repeat(32) : joinKey }), ...rest)
      }
    }
    const world = new KeptWorld(11, undefined, { between })
    const bob = await world.entered('bob', { history: {} })
    const messages = heard(bob.room)
    // Of the same chance comes the same instance.
    world.random.integer = () => 7
    const ada = await world.entered('ada')
    const eve = await world.entered('eve')
    expect(idOf(eve)).not.toBe(idOf(ada))
    const said = [eve, ada].map(({ name, room }) => room.channel<string>('chat').send(`of ${name}`, { store: true }))
    await world.clock.run(1_000)
    expect(new Set(said.map(({ id }) => id)).size).toBe(1)
    expect(messages.map(({ from, data }) => [from, data])).toEqual([
      [idOf(eve), 'of eve'],
      [idOf(ada), 'of ada'],
    ])
    expect(await Promise.all(said.map(({ stored }) => outcomeOf(stored)))).toMatchObject([
      { rejected: 'denied' },
      { offset: 1 },
    ])
    expect(await world.entries()).toHaveLength(1)
  })

  it('is told when the log was begun anew, or more was stored than is kept', async () => {
    const world = new KeptWorld(7, 'lobby;messages=5')
    const ada = await world.entered('ada')
    const bob = await world.entered('bob', { history: {} })
    const reasons: string[] = []
    bob.room.on('forgotten', ({ reason }) => reasons.push(reason))
    const messages = heard(bob.room)
    const chat = ada.room.channel<number>('chat')
    chat.send(1, { store: true })
    await world.clock.run(1_000)
    bob.uplink.refused = true
    world.server.drop(bob.uplink)
    await world.clock.run(60_000)
    for (const n of upTo(20).slice(1)) chat.send(n, { store: true })
    await world.clock.run(1_000)
    bob.uplink.refused = false
    await world.clock.run(60_000)
    expect(reasons).toEqual(['age'])
    expect(dataOf(messages)).toEqual([1, 16, 17, 18, 19, 20])
    await world.store.clear(LOG)
    chat.send(21, { store: true })
    await world.clock.run(5_000)
    expect(reasons).toEqual(['age', 'epoch'])
    expect(dataOf(messages).slice(6)).toEqual([21])
    expect(bob.room.cursor?.offset).toBe(1)
  })

  it('that reads slowly is not given more than it takes, and a channel that nobody opens is in nobody’s way', async () => {
    const world = new KeptWorld(8)
    const ada = await world.entered('ada')
    for (const n of upTo(700)) {
      ada.room.channel<number>('chat').send(n, { store: true })
      ada.room.channel<number>('quiet').send(n, { store: true })
      if (n % 20 === 0) await world.clock.run(200)
    }
    await world.clock.run(3_000)
    const bob = world.join('lobby', 'bob', { sealing: 'open', history: { last: 1_000 } })
    let missed = 0
    bob.room.on('missed', ({ messages }) => {
      missed += messages
    })
    const reader = bob.room.channel<number>('chat')[Symbol.asyncIterator]()
    await world.clock.run(3_000)
    const numbers: number[] = []
    for (let at = 0; at < 350; at += 1) {
      const next = reader.next()
      await world.clock.run(1)
      const { value } = (await outcomeOf(next)) as { value: Message<number> }
      numbers.push(value.data)
    }
    await world.clock.run(3_000)
    const last = numbers.at(-1) ?? 0
    expect(numbers).toEqual(upTo(last).slice(-numbers.length))
    expect(missed).toBeGreaterThan(0)
    const quiet = heard(bob.room, 'quiet')
    await world.clock.run(1_000)
    expect(dataOf(quiet)).toEqual(upTo(700).slice(-quiet.length))
  })
})

it('a question without an answer is repeated once with each welcome', async () => {
  const said: string[] = []
  const between = (_: string, open: OpenCarrier): OpenCarrier => {
    return (...opening) => {
      const carrier = open(...opening)
      const send = carrier.send.bind(carrier)
      return Object.assign(carrier, {
        send: (message: string | Uint8Array<ArrayBuffer>) => {
          if (typeof message === 'string' && message.includes('"history"')) said.push(message)
          return send(message)
        },
      })
    }
  }
  const world = new KeptWorld(12, undefined, { between })
  await world.putNumbers([1])
  const bob = await world.entered('bob')
  await outcomeOf(bob.room.history())
  await world.clock.run(500)
  bob.uplink.up.blackhole = true
  const page = bob.room.history({ limit: 1 })
  await world.clock.run(100)
  said.length = 0
  bob.uplink.up.blackhole = false
  world.server.drop(bob.uplink)
  await world.clock.run(5_000)
  expect(await outcomeOf(page)).toMatchObject({ messages: [{ data: 1 }] })
  expect(said).toHaveLength(1)
})

it('a body that is no base64 is passed over', async () => {
  const between = (_: string, open: OpenCarrier): OpenCarrier => {
    return (server, first, events, ...rest) => {
      const text = (said: string): void => events.text(said.replace(/"base64":"[^"]*"/, '"base64":"!"'))
      return open(server, first, { ...events, text }, ...rest)
    }
  }
  const world = new KeptWorld(13, undefined, { between })
  await world.putNumbers([1, 2])
  const bob = await world.entered('bob', { history: { last: 5 } })
  const messages = heard(bob.room)
  const page = bob.room.history()
  await world.clock.run(1_000)
  expect(dataOf(messages)).toEqual([2])
  expect(await outcomeOf(page)).toMatchObject({ messages: [{ data: 2 }] })
  expect(bob.room.cursor?.offset).toBe(2)
})

describe('in a sealed room', () => {
  it('what whoever runs the server alters, moves or makes up is refused', async () => {
    const world = new KeptWorld(9)
    const sealed = { sealing: undefined, secret } as unknown as JoinOptions
    const ada = await world.entered('ada', sealed)
    const sent = ada.room.channel('chat').send('genuine', { store: true })
    await world.clock.run(500)
    const [genuine] = await world.entries()
    if (genuine === undefined) throw new Error('nothing was stored')
    expect(Buffer.from(genuine.body).includes('genuine')).toBe(false)
    const { id, body, from } = genuine
    const altered = body.slice()
    altered[20] = (altered[20] ?? 0) ^ 1
    await world.put({ id, from, body: altered })
    await world.put({ id, from, body, channel: 'notes' })
    await world.put({ id: id.replace(/\d+$/, '7'), from, body })
    await world.put({ id: `${'ef'.repeat(16)}-1-0`, from, body })
    await world.put({ id: `${'ef'.repeat(16)}-1-1`, from, body: plain('made up') })
    await world.put({ id: 'backend-1', body: plain('published') })
    void ada.room.leave()
    const bob = world.join('lobby', 'bob', { secret, paths: ['relay'], history: { last: 100 } })
    const messages = heard(bob.room)
    const notes = heard(bob.room, 'notes')
    await world.clock.run(1_000)
    expect(messages).toMatchObject([
      { id: sent.id, data: 'genuine', from },
      { data: 'published', from: 'server' },
    ])
    expect(notes).toEqual([])
    expect(bob.room.stats().sealing.refused).toMatchObject({ forged: 4, unsealed: 1 })
    expect(bob.room.cursor?.offset).toBe(7)
  })

  it('without a secret, what a backend has kept is heard all the same', async () => {
    const world = new KeptWorld(10)
    await world.put({ id: 'backend-1', body: plain('published') })
    const bob = world.join('lobby', 'bob', { paths: ['relay'], history: { last: 5 } })
    const messages = heard(bob.room)
    await world.clock.run(1_000)
    expect(messages).toMatchObject([{ data: 'published', from: 'server', stored: { offset: 1 } }])
  })

  it('a signed channel takes nothing from the history, and stores nothing', async () => {
    const world = new KeptWorld(11)
    await world.put({ id: 'backend-1', body: plain('published') })
    const bob = world.join('lobby', 'bob', { secret, paths: ['relay'], history: { last: 5 } })
    const channel = bob.room.channel<Payload>('chat', { signed: true })
    const messages: unknown[] = []
    channel.on('message', (message) => messages.push(message))
    await world.clock.run(1_000)
    expect([messages, bob.room.stats().sealing.refused]).toMatchObject([[], { unsigned: 1 }])
    expect(await outcomeOf(channel.send('x', { store: true }).stored)).toEqual({ rejected: 'bad-argument' })
  })
})
