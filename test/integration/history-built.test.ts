/** The history by the built bundle, whose names are shortened: what the wire and applications call them is as it was. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SignJWT } from 'jose'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { startServer } from '../../signaling/server.ts'
import { buildTargets } from '../../signaling/setup/build.mjs'

const undo: (() => unknown)[] = []
beforeAll(() => buildTargets({ only: ['client'] }), 240_000)
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

const KEY = 'integration-test-secret-of-48-characters-or-more'
const token = (sub: string): Promise<string> =>
  new SignJWT({ rooms: ['team'], sub, exp: Date.now() / 1_000 + 300 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(KEY))

it('stores, follows, pages, mails and marks as read', async () => {
  const bundle = pathToFileURL(join(import.meta.dirname, '../../dist/client/partyline.js')).href
  const { joinRoom, newSecret } = (await import(/* @vite-ignore */ bundle)) as typeof import('partyline')
  const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-built-'))
  undo.push(() => rm(dataFolder, { recursive: true, force: true }))
  const server = await startServer({
    ...{ host: '127.0.0.1', port: 0, turn: 'off', logLevel: 'silent', dataFolder },
    ...{ history: ['team;mail=5'], access: 'token', accessSecret: [KEY] },
  })
  undo.push(() => server.close())
  const usual = { server: server.url, secret: newSecret(), paths: ['relay'] as const }
  const bo = joinRoom('team', {
    ...{ ...usual, profile: { name: 'Bo' }, sealProfile: true, history: {} },
    accessToken: await token('bo'),
  })
  undo.push(() => bo.leave())
  await bo.ready
  expect(bo.kept).toMatchObject({ channels: ['*'], messages: 100, mail: 5 })
  const chat = bo.channel<string>('chat')
  const one = await chat.send('one', { store: true }).stored
  expect(one).toMatchObject({ offset: 1 })
  await chat.send('mail', { user: 'ada' }).stored
  const ada = joinRoom('team', { ...usual, history: { last: 5 }, accessToken: await token('ada') })
  undo.push(() => ada.leave())
  const heard: unknown[] = []
  ada.channel('chat').on('message', (message) => heard.push(message))
  const read: unknown[] = []
  bo.on('read', (notice) => read.push(notice))
  await expect.poll(() => heard).toHaveLength(2)
  expect(heard).toContainEqual(
    expect.objectContaining({
      data: 'one',
      stored: { ...one, atMs: expect.any(Number), userId: 'bo', profile: { name: 'Bo' }, mail: false },
    }),
  )
  expect(heard).toContainEqual(expect.objectContaining({ data: 'mail', direct: true }))
  const { messages, unread, newest } = await ada.history({ limit: 1 })
  expect([messages.length, unread, newest, ada.cursor]).toEqual([1, 1, one, one])
  await ada.markRead(one, { share: true })
  await expect.poll(() => read).toEqual([{ userId: 'ada', ...one, mail: false }])
  expect(await bo.readPositions()).toEqual(new Map([['ada', 1]]))
})
