/** What the server keeps, as applications have it: real rooms, a real server, every carrier. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { type JoinOptions, type Json, joinRoom, type Message, newSecret, type Room } from 'partyline'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { type RunningServer, startServer } from '../../signaling/server.ts'
import { freePort } from '../support/free-port.ts'
import { partyline, type Run } from './partyline-command.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'partyline-history-'))
  undo.push(() => rm(made, { recursive: true, force: true }))
  return made
}

async function serve(options: ServerOptionsInput = {}): Promise<RunningServer> {
  const server = await startServer({
    ...{ host: '127.0.0.1', port: 0, turn: 'off', logLevel: 'silent', dataFolder: await folder() },
    ...{ history: ['team*;messages=500;mail=20;channels=chat|note*'], ...options },
  })
  undo.push(() => server.close())
  return server
}

async function enter(server: { readonly url: string }, options: JoinOptions = {}, name = 'team'): Promise<Room<Json>> {
  const room = joinRoom(name, { server: server.url, paths: ['relay'], ...options })
  undo.push(() => room.leave())
  await room.ready
  return room
}

/** What is heard on a channel, from now on. */
function heard(room: Room<Json>, name = 'chat'): Message<Json>[] {
  const messages: Message<Json>[] = []
  room.channel(name).on('message', (message) => messages.push(message))
  return messages
}

const dataOf = (messages: readonly Message<unknown>[]): unknown[] => messages.map(({ data }) => data)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

const SECRET = newSecret()
const WAIT = { timeout: 10_000 }
const MODES = { open: { sealing: 'open' }, secret: { secret: SECRET } } as const

describe.each(['websocket', 'sse', 'long-poll', 'short-poll'] as const)('what is stored, by %s', (uplink) => {
  it.each(Object.entries(MODES))('is there for who comes later, in a room that is %s', async (_, mode) => {
    const server = await serve()
    const ada = await enter(server, { ...mode, uplink })
    const chat = ada.channel<Json>('chat')
    const sent = upTo(30).map((n) => chat.send({ n }, { store: true }))
    const places = await Promise.all(sent.map(({ stored }) => stored))
    expect(places.map(({ offset }) => offset)).toEqual(upTo(30))
    expect(new Set(places.map(({ epoch }) => epoch)).size).toBe(1)
    const bo = await enter(server, { ...mode, uplink, history: { last: 10 } })
    const messages = heard(bo)
    await expect.poll(() => messages.length, WAIT).toBe(10)
    expect(dataOf(messages)).toEqual(
      upTo(30)
        .slice(-10)
        .map((n) => ({ n })),
    )
    expect(messages[0]).toMatchObject({ id: sent[20]?.id, from: ada.self?.id, direct: false, stored: { offset: 21 } })
    await expect.poll(() => ada.peers.size, WAIT).toBe(1)
    chat.send('live', { store: true })
    await expect.poll(() => messages.length, WAIT).toBe(11)
    expect(messages[10]?.stored).toBeUndefined()
    await expect.poll(() => bo.cursor?.offset, WAIT).toBe(31)
    const page = await bo.history({ limit: 5 })
    expect(dataOf(page.messages)).toEqual([{ n: 27 }, { n: 28 }, { n: 29 }, { n: 30 }, 'live'])
    const before = await bo.history({ limit: 26, ...(page.before === undefined ? {} : { before: page.before }) })
    expect(dataOf(before.messages)).toEqual(upTo(26).map((n) => ({ n })))
    expect(before.before).toBeUndefined()
    expect(messages).toHaveLength(11)
  })
})

describe('storing', () => {
  const codeOf = (stored: Promise<unknown>): Promise<unknown> =>
    stored.then(
      () => 'stored',
      (error: { code: string }) => error.code,
    )

  it('is refused with a typed error where it cannot be, and the message goes all the same', async () => {
    const server = await serve()
    const may = async (options: JoinOptions, room = 'team', channel = 'chat', data: Json = 'x') => {
      const ada = await enter(server, options, room)
      const bo = await enter(server, options, room)
      const messages = heard(bo, channel)
      await expect.poll(() => ada.peers.size).toBeGreaterThan(0)
      const { stored } = ada.channel(channel).send(data, { store: true })
      const code = await codeOf(stored)
      await expect.poll(() => messages.length).toBe(1)
      await Promise.all([ada.leave(), bo.leave()])
      return code
    }
    expect(await may({})).toBe('needs-secret')
    expect(await may({ sealing: 'open' })).toBe('stored')
    expect(await may({ sealing: 'open' }, 'elsewhere')).toBe('not-kept')
    expect(await may({ sealing: 'open' }, 'team', 'other')).toBe('not-kept')
    expect(await may({ secret: SECRET }, 'team-2', 'chat', 'x'.repeat(62_000))).toBe('too-large')
  })

  it('needs no other member, and a sender that cannot reach the server is repeated to it', async () => {
    const server = await serve()
    const ada = await enter(server, MODES.open)
    const { stored, delivered } = ada.channel('chat').send('alone', { store: true })
    expect((await delivered).to).toEqual([])
    expect(await stored).toMatchObject({ offset: 1 })
    await expect(codeOf(ada.history({ limit: 257 }))).resolves.toBe('bad-argument')
    expect(await codeOf(ada.channel('chat').send('x', { store: true, to: [] }).stored)).toBe('bad-argument')
    const over = ada.channel('chat').send('late', { store: true })
    await ada.leave()
    expect(await codeOf(over.stored)).toMatch(/stored|closed/)
    expect(await codeOf(ada.history())).toBe('closed')
  })
})

it('goes on from a cursor after a reload, without repeats and without a gap', async () => {
  const server = await serve()
  const ada = await enter(server, MODES.secret)
  const chat = ada.channel<number>('chat')
  const first = await enter(server, { ...MODES.secret, history: { last: 100 } })
  const before = heard(first)
  await expect.poll(() => ada.peers.size).toBe(1)
  for (const n of upTo(20)) await chat.send(n, { store: true }).stored
  await expect.poll(() => first.cursor?.offset).toBe(20)
  const since = first.cursor
  await first.leave()
  for (const n of upTo(320).slice(20)) chat.send(n, { store: true })
  await chat.send(321, { store: true }).stored
  // In the middle of a stream of them.
  let n = 321
  const more = setInterval(() => chat.send(++n, { store: true }), 5)
  undo.push(() => clearInterval(more))
  const again = await enter(server, { ...MODES.secret, history: since === undefined ? {} : { since } })
  const after = heard(again)
  // As long as it takes until they come live: what was said while it came in, it catches up with.
  const goesLive = (): boolean => after.length > 380 && after.at(-1)?.stored === undefined
  await expect.poll(goesLive, { timeout: 20_000 }).toBe(true)
  clearInterval(more)
  expect(dataOf(before)).toEqual(upTo(20))
  expect(dataOf(after)).toEqual(upTo(20 + after.length).slice(20))
  expect(after[0]?.stored).toBeDefined()
})

it('tells of a log that was begun anew', async () => {
  const server = await serve()
  const ada = await enter(server, MODES.open)
  await ada.channel('chat').send('one', { store: true }).stored
  const bo = await enter(server, { ...MODES.open, history: { since: { epoch: 'another', offset: 7 } } })
  const reasons: string[] = []
  bo.on('forgotten', ({ reason }) => reasons.push(reason))
  const messages = heard(bo)
  await expect.poll(() => messages.length).toBe(1)
  expect(reasons).toEqual(['epoch'])
})

describe('users', () => {
  const KEY = 'integration-test-secret-of-48-characters-or-more'
  const as = async (sub: string): Promise<JoinOptions> => ({
    ...MODES.secret,
    accessToken: await new SignJWT({ rooms: ['team'], sub, exp: Date.now() / 1_000 + 300 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(KEY)),
  })
  const serveUsers = (): Promise<RunningServer> => serve({ access: 'token', accessSecret: [KEY] })

  it('find what was sent to them while they were away, until it is read at one device', async () => {
    const server = await serveUsers()
    const bo = await enter(server, await as('bo'))
    const chat = bo.channel<Json>('chat')
    await chat.send('first', { user: 'ada' }).stored
    await chat.send('second', { user: 'ada' }).stored
    const phone = await enter(server, await as('ada'))
    const onPhone = heard(phone)
    await expect.poll(() => onPhone.length).toBe(2)
    expect(onPhone).toMatchObject([
      { data: 'first', direct: true, from: bo.self?.id, stored: { offset: 1, mail: true, userId: 'bo' } },
      { data: 'second', stored: { offset: 2 } },
    ])
    const [first] = onPhone
    if (first?.stored !== undefined) await phone.markRead(first.stored)
    const laptop = await enter(server, await as('ada'))
    const onLaptop = heard(laptop)
    await expect.poll(() => onLaptop.length).toBe(1)
    await expect.poll(() => bo.peers.size).toBe(2)
    const { delivered, stored } = chat.send('third', { user: 'ada' })
    expect((await delivered).to).toHaveLength(2)
    await stored
    await expect.poll(() => [onPhone.length, onLaptop.length]).toEqual([3, 2])
    expect(dataOf(onLaptop)).toEqual(['second', 'third'])
    // Live, and not again from the mailbox.
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect([onPhone.length, onLaptop.length]).toEqual([3, 2])
    expect(onLaptop[1]?.stored).toBeUndefined()
    expect((await phone.history({ mail: true })).unread).toBe(2)
  })

  it('agree on what is read over their devices, and show it to others if they like', async () => {
    const server = await serveUsers()
    const bo = await enter(server, { ...(await as('bo')), history: {} })
    const places = await Promise.all(upTo(3).map((n) => bo.channel('chat').send(n, { store: true }).stored))
    const [one, two] = places
    const phone = await enter(server, { ...(await as('ada')), history: { last: 10 } })
    const laptop = await enter(server, { ...(await as('ada')), history: { last: 10 } })
    const told: unknown[] = []
    const atBo: unknown[] = []
    laptop.on('read', (notice) => told.push(notice))
    bo.on('read', (notice) => atBo.push(notice))
    expect(await phone.history({ limit: 0 })).toMatchObject({ position: 0, unread: 3, newest: places[2] })
    if (one === undefined || two === undefined) throw new Error('nothing was stored')
    await phone.markRead(one)
    await expect.poll(() => told).toEqual([{ userId: 'ada', mail: false, ...one }])
    expect(await laptop.history({ limit: 0 })).toMatchObject({ position: 1, unread: 2 })
    await laptop.markRead(two, { share: true })
    await expect.poll(() => atBo).toEqual([{ userId: 'ada', mail: false, ...two }])
    expect(await bo.readPositions()).toEqual(new Map([['ada', 2]]))
  })
})

it('nothing that was said to be stored is gone, or there twice, after kill -9', async () => {
  const dataFolder = await folder()
  // Clients come back to it.
  const port = `${await freePort()}`
  const start = async (): Promise<Run> => {
    const run = partyline(
      ...['--port', port, '--host', '127.0.0.1', '--turn', 'off', '--data-folder', dataFolder, '--log-format', 'json'],
      ...['--history', '*;messages=100000', '--history-store', 'file'],
    )
    undo.push(() => run.child.kill('SIGKILL'))
    await run.logged(/"port":(\d+)/)
    return run
  }
  let run = await start()
  const url = `http://127.0.0.1:${port}/`
  const ada = await enter({ url }, MODES.secret)
  const bo = await enter({ url }, { ...MODES.secret, history: { last: 0 } })
  const messages = heard(bo)
  await expect.poll(() => ada.peers.size).toBe(1)
  const places = new Map<number, number>()
  const chat = ada.channel<number>('chat')
  const ROUNDS = 3
  const EACH = 400
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = Promise.all(
      upTo(EACH).map(async (index) => {
        const n = round * EACH + index
        const { offset } = await chat.send(n, { store: true }).stored
        places.set(n, offset)
      }),
    )
    all.catch(() => undefined)
    await expect.poll(() => places.size > round * EACH + 50, { interval: 1, timeout: 20_000 }).toBe(true)
    run.child.kill('SIGKILL')
    await run.ended
    run = await start()
    await all
  }
  // Live by the relay, or missed and caught up with: once each, whatever happened.
  await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(ROUNDS * EACH)
  expect([...dataOf(messages)].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(ROUNDS * EACH))
  expect([...places.entries()].sort(([a], [b]) => a - b).map(([, offset]) => offset)).toEqual(upTo(ROUNDS * EACH))
  const carol = await enter({ url }, { ...MODES.secret, history: { last: 1_000 } })
  const late = heard(carol)
  await expect.poll(() => late.length, { timeout: 10_000 }).toBe(1_000)
  expect(dataOf(late)).toEqual(upTo(ROUNDS * EACH).slice(-1_000))
}, 240_000)
