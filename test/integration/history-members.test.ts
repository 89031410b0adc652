import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JWTPayload, SignJWT } from 'jose'
import { afterEach, expect, it } from 'vitest'
import { encodeText } from '../../signaling/protocol/bytes.ts'
import { encodePlainBody, type StoreRecord } from '../../signaling/protocol/record.ts'
import { describeWire, freshRoom, type RunningTarget, type Target } from '../conformance/target.ts'
import type { WireClient } from '../conformance/wire-client.ts'

const SECRET = 'integration-test-secret-of-48-characters-or-more'
const key = new TextEncoder().encode(SECRET)

const body = (text: string): Uint8Array =>
  encodePlainBody({ content: 1, sentAtMs: 1_750_000_000_000, data: encodeText(text) })
const record = (n: number, more: Partial<StoreRecord> = {}): StoreRecord => ({
  ...{ n, channel: 1, ordinal: n, name: 'chat', user: undefined, body: body(`${n}`) },
  ...more,
})

const start = (target: Target, more = {}): Promise<RunningTarget> =>
  target.start({ access: 'token', accessSecret: [SECRET], history: ['*;mail=2'], ...more })

async function entered(target: Target, server: RunningTarget, room: string, claims: JWTPayload = {}) {
  const client = await target.connect(server)
  const access = await new SignJWT({ rooms: [room], exp: Date.now() / 1_000 + 300, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(key)
  const welcome = await client.join({ room, access })
  return Object.assign(client, { id: welcome.peerId, welcome })
}

async function ask(client: WireClient, more: object = {}) {
  const id = client.request()
  client.say({ t: 'history', id, limit: 256, ...more })
  return client.next('history')
}

async function outcomes(client: WireClient, count: number) {
  const of = []
  while (of.length < count) of.push(...(await client.next('stored')).of)
  return of
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const act of closing.splice(0)) act()
})

describeWire('what is kept, and who may', (target) => {
  it('is stored of members with the right to, and shown to those with theirs', async () => {
    const server = await start(target)
    const room = freshRoom()
    const may = async (rights: readonly string[], which: Partial<StoreRecord> = {}) => {
      const client = await entered(target, server, room, { rights })
      client.store(record(1, which))
      const [outcome] = await outcomes(client, 1)
      return outcome?.code ?? 'stored'
    }
    expect(await may(['publish', 'direct', 'store', 'history', 'members'])).toBe('stored')
    expect(await may(['publish', 'direct', 'history', 'members'])).toBe('denied')
    expect(await may(['direct', 'store', 'members'])).toBe('denied')
    expect(await may(['publish', 'store', 'direct'])).toBe('denied')
    expect(await may(['publish', 'store', 'members'], { user: 'ada' })).toBe('denied')
    expect(await may(['direct', 'store', 'members'], { user: 'ada' })).toBe('stored')
    const blind = await entered(target, server, room, { sub: 'ada', rights: ['publish', 'members'] })
    blind.say({ t: 'history', id: 9, limit: 1 })
    expect(await blind.next('error')).toMatchObject({ re: 9, code: 'denied', fatal: false })
    // Its own mail is its own.
    expect((await ask(blind, { mail: true })).entries).toHaveLength(1)
    const reader = await entered(target, server, room, { rights: ['history'] })
    expect((await ask(reader)).entries).toHaveLength(1)
  })

  it('is mail for a user who is away, on all devices, the newest so many', async () => {
    const server = await start(target)
    const room = freshRoom()
    const bob = await entered(target, server, room, { sub: 'bob' })
    const phone = await entered(target, server, room, { sub: 'ada' })
    await ask(phone, { mail: true, follow: true, limit: 0 })
    bob.store(record(1, { user: 'ada' }))
    expect(await bob.next('stored')).toEqual({ t: 'stored', of: [{ n: 1 }] })
    const logged = await phone.next('logged')
    expect(logged).toMatchObject({ mail: true, of: [{ offset: 1, id: `${bob.instance}-1-u1` }] })
    phone.drop()
    bob.store(record(2, { user: 'ada' }))
    bob.store(record(3, { user: 'ada' }))
    bob.store(record(4, { user: 'eve' }))
    expect(await outcomes(bob, 3)).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }])
    const laptop = await entered(target, server, room, { sub: 'ada' })
    const mail = await ask(laptop, { mail: true, epoch: logged.epoch, after: 1 })
    expect(mail).toMatchObject({ mail: true, first: 2, next: 4, unread: 2, position: 0 })
    expect(mail.entries).toMatchObject([
      { offset: 2, userId: 'bob', from: bob.id },
      { offset: 3, userId: 'bob' },
    ])
    laptop.say({ t: 'read', id: 20, epoch: mail.epoch, offset: 3, mail: true })
    await laptop.next('ok')
    const tablet = await entered(target, server, room, { sub: 'ada' })
    expect(await ask(tablet, { mail: true })).toMatchObject({ unread: 0, position: 3 })
    // The room's log has nothing of it, nor has another user.
    expect((await ask(bob)).next).toBe(1)
    expect((await ask(bob, { mail: true })).next).toBe(1)
  })

  it('has read positions that the devices of a user agree on, and others see when they are shared', async () => {
    const server = await start(target)
    const room = freshRoom()
    const bob = await entered(target, server, room, { sub: 'bob' })
    for (const n of [1, 2, 3]) bob.store(record(n))
    await outcomes(bob, 3)
    const phone = await entered(target, server, room, { sub: 'ada' })
    const laptop = await entered(target, server, room, { sub: 'ada' })
    for (const client of [bob, phone, laptop]) await ask(client, { limit: 0, follow: true })
    const { epoch, unread } = await ask(phone, { limit: 0 })
    expect(unread).toBe(3)
    phone.say({ t: 'read', id: 30, epoch, offset: 2 })
    await phone.next('ok')
    expect(await laptop.next('position')).toEqual({ t: 'position', userId: 'ada', epoch, offset: 2 })
    expect(await ask(laptop, { limit: 0 })).toMatchObject({ position: 2, unread: 1 })
    laptop.say({ t: 'read', id: 31, epoch, offset: 3, share: true })
    await laptop.next('ok')
    expect(await bob.next('position')).toEqual({ t: 'position', userId: 'ada', epoch, offset: 3 })
    expect(await phone.next('position')).toMatchObject({ offset: 3 })
    bob.say({ t: 'positions', id: 32 })
    expect(await bob.next('positions')).toEqual({ t: 'positions', re: 32, epoch, of: [{ userId: 'ada', offset: 3 }] })
    await bob.settle()
    expect(bob.unread.filter(({ t }) => t === 'position')).toEqual([])
    // One's own messages are nothing unread.
    expect(await ask(bob, { limit: 0 })).toMatchObject({ position: 0, unread: 0 })
  })
})

describeWire(
  'a webhook of what is stored',
  (target) => {
    it('says where to find it', async () => {
      const told: Record<string, unknown>[] = []
      let heard: () => void = () => undefined
      const all = new Promise<void>((resolve) => {
        heard = resolve
      })
      const backend = createServer(async (request, response) => {
        let text = ''
        for await (const part of request) text += part
        told.push(...JSON.parse(text).events)
        response.end()
        if (told.length === 2) heard()
      })
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
      closing.push(() => backend.close())
      const { port } = backend.address() as AddressInfo
      const more = { webhookUrl: `http://127.0.0.1:${port}/`, webhookEvents: ['message.stored'] }
      const server = await start(target, more)
      const room = freshRoom()
      const bob = await entered(target, server, room, { sub: 'bob' })
      bob.store(record(1))
      bob.store(record(1))
      bob.store(record(2, { user: 'ada' }))
      await outcomes(bob, 3)
      await all
      expect(told).toMatchObject([
        { type: 'message.stored', room, message: { offset: 1, channel: 'chat', from: bob.id, userId: 'bob' } },
        { type: 'message.stored', room, message: { offset: 1, to: 'ada', id: `${bob.instance}-1-u2` } },
      ])
    })
  },
  ['websocket'],
)
