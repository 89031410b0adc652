/** The client as an application has it, a backend, and the server between them: real tokens, real HTTP. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { SignJWT } from 'jose'
import { afterEach, expect, it } from 'vitest'
import type { WebhookEvent } from '../../signaling/webhooks/events.ts'
import { verifyWebhook } from '../../signaling/webhooks/signature.ts'
import type { JoinOptions, Message, Room } from '../../web/client/face.ts'
import { joinRoom } from '../../web/client/join-room.ts'
import { describeWire, freshRoom } from '../conformance/target.ts'

const API_KEY = 'an-api-key-of-thirty-two-characters-or-more'
const ACCESS_SECRET = 'integration-test-secret-of-48-characters-or-more'
const WEBHOOK_SECRET = 'a-secret-for-webhooks'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const act of closing.splice(0).reverse()) await act()
})

interface Hook {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A backend that takes webhooks, and says 503 to the first few. */
async function backend(failures: number) {
  const hooks: Hook[] = []
  const refused: Hook[] = []
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const hook = { headers: request.headers, body: Buffer.concat(parts).toString() }
      const bad = refused.length < failures
      ;(bad ? refused : hooks).push(hook)
      response.writeHead(bad ? 503 : 204).end()
      for (const look of waiting.splice(0)) look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  const events = (): WebhookEvent[] =>
    hooks.flatMap(({ body }) => (JSON.parse(body) as { readonly events: WebhookEvent[] }).events)
  return {
    ...{ url: `http://127.0.0.1:${address.port}/hook`, hooks, refused, events },
    async until(count: number): Promise<WebhookEvent[]> {
      while (events().length < count) await new Promise<void>((resolve) => waiting.push(resolve))
      return events()
    },
  }
}

function enter(
  server: string,
  room: string,
  sub: string,
  claims: object = {},
  options: Pick<JoinOptions, 'uplink'> = {},
): Room {
  const accessToken = (): Promise<string> =>
    new SignJWT({ rooms: [room], sub, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('10m')
      .sign(new TextEncoder().encode(ACCESS_SECRET))
  const entered = joinRoom(room, { server, accessToken, paths: ['relay'], ...options })
  closing.push(() => entered.leave())
  return entered
}

function inbox(room: Room, channel: string) {
  const come: Message<unknown>[] = []
  const waiting: (() => void)[] = []
  room.channel<object>(channel).on('message', (message) => {
    come.push(message)
    for (const look of waiting.splice(0)) look()
  })
  return async (count: number): Promise<readonly Message<unknown>[]> => {
    while (come.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    return come
  }
}

describeWire('an application with a backend', (target) => {
  const start = async (options = {}) => {
    const server = await target.start({ access: 'token', accessSecret: [ACCESS_SECRET], apiKey: [API_KEY], ...options })
    const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
      const response = await fetch(`${server.url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
      expect(response.status).toBe(200)
      return (await response.json()) as Record<string, unknown>
    }
    return { server, ask }
  }

  it('lets its users in, speaks to them, and sends them away', async () => {
    const { server, ask } = await start()
    const name = freshRoom()
    const ada = enter(server.url, name, 'ada', { profile: { name: 'Ada' } })
    await ada.ready
    const bob = enter(server.url, name, 'bob', { rights: ['members'] })
    await bob.ready
    const [toAda, toBob] = [inbox(ada, 'news'), inbox(bob, 'news')]
    expect(ada.self).toMatchObject({ userId: 'ada', profile: { name: 'Ada' } })
    expect(() => bob.channel('chat').send('no')).toThrow(expect.objectContaining({ code: 'denied' }))
    const { members } = await ask('GET', `/rooms/${name}/members`)
    expect(members).toMatchObject([{ userId: 'ada', profile: { name: 'Ada' } }, { userId: 'bob' }])
    await ask('POST', `/rooms/${name}/messages`, { channel: 'news', data: { text: 'We are live.' } })
    await ask('POST', '/users/bob/messages', { channel: 'news', data: { text: 'Hello Bob.' } })
    expect(await toAda(1)).toMatchObject([{ from: 'server', data: { text: 'We are live.' }, direct: false }])
    expect(await toBob(2)).toMatchObject([{ direct: false }, { data: { text: 'Hello Bob.' }, direct: true }])
    expect(await ask('DELETE', `/rooms/${name}`)).toEqual({ removed: 2 })
    expect(await bob.closed).toMatchObject({ code: 'removed' })
  })

  it('can tell somebody why it is sent away, by every carrier', async () => {
    const { server, ask } = await start()
    const name = freshRoom()
    const options = { uplink: [target.carrier] } as const
    const bob = enter(server.url, name, 'bob', {}, options)
    await bob.ready
    const toBob = inbox(bob, 'news')
    for (let n = 1; n <= 20; n += 1) await ask('POST', `/rooms/${name}/messages`, { channel: 'news', data: n })
    await ask('DELETE', `/rooms/${name}/members/${bob.self?.id}`)
    expect(await bob.closed).toMatchObject({ code: 'removed' })
    expect((await toBob(20)).map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('hears of rooms and members, also after it was away', async () => {
    const hooks = await backend(2)
    const { server } = await start({ webhookUrl: hooks.url, webhookSecret: [WEBHOOK_SECRET] })
    const name = freshRoom()
    const ada = enter(server.url, name, 'ada', { profile: 'Ada' })
    await ada.ready
    const id = ada.self?.id
    await ada.leave()
    const member = { id, userId: 'ada', profile: 'Ada' }
    expect(await hooks.until(4)).toMatchObject([
      { type: 'room.created', room: name },
      { type: 'member.joined', room: name, member, resumed: false },
      { type: 'member.left', room: name, member, reason: 'left' },
      { type: 'room.emptied', room: name },
    ])
    expect(hooks.refused).toHaveLength(2)
    for (const { headers, body } of hooks.hooks) {
      expect(headers['content-type']).toBe('application/json')
      expect(verifyWebhook(body, String(headers['partyline-signature']), WEBHOOK_SECRET)).toBe(true)
    }
  })

  it('is told what waits when the server stops', async () => {
    const hooks = await backend(0)
    const { server } = await start({ webhookUrl: hooks.url, webhookSecret: [WEBHOOK_SECRET] })
    const ada = enter(server.url, freshRoom(), 'ada')
    await ada.ready
    await server.close()
    expect(hooks.events().map(({ type }) => type)).toEqual(['room.created', 'member.joined'])
  })

  it('that does not answer holds nobody up', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    closing.push(() => {
      silent.closeAllConnections()
      silent.close()
    })
    const address = silent.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    const { server } = await start({ webhookUrl: `http://127.0.0.1:${address.port}/`, webhookEvents: ['room.created'] })
    const ada = enter(server.url, freshRoom(), 'ada')
    await ada.ready
    const sinceMs = performance.now()
    await server.close()
    // Some 2 s, and what a busy machine takes; an answer would be waited for 10 s.
    expect(performance.now() - sinceMs).toBeLessThan(8_000)
  })
})

it('a webhook address that is none is refused at the start', async () => {
  const { parseServerOptions } = await import('../../signaling/options/parse.ts')
  expect(() => parseServerOptions({ webhookUrl: 'ftp://example' })).toThrow(/webhookUrl.*http/)
  expect(() => parseServerOptions({ webhookEvents: ['room.closed'] })).toThrow(/room\.created/)
})
