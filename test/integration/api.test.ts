import { SignJWT } from 'jose'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { ErrorBody } from '../../signaling/api/schemas.ts'
import { describeWire, freshRoom, type RunningTarget, type Target } from '../conformance/target.ts'

const API_KEY = 'an-api-key-of-thirty-two-characters-or-more'
const SECRET = 'integration-test-secret-of-48-characters-or-more'

interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Asks as a backend would, and holds every answer against the OpenAPI file. */
class Backend {
  /** `METHOD path status` of everything answered so far. */
  static readonly seen = new Set<string>()

  private constructor(
    readonly url: string,
    readonly document: Document,
  ) {}

  static async of(server: RunningTarget): Promise<Backend> {
    const url = `${server.url.replace(/\/$/, '')}/api/v1`
    const response = await fetch(`${url}/openapi.json`)
    expect(response.status).toBe(200)
    return new Backend(url, (await response.json()) as Document)
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const given = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(given === undefined ? {} : { body: given }),
    })
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const answered = { status: response.status, body: await response.json(), headers: response.headers } as Answered
    this.#check(method, path, answered)
    return answered
  }

  #check(method: string, path: string, { status, body }: Answered): void {
    if (status >= 400) expect(ErrorBody.safeParse(body).error).toBeUndefined()
    const code = (body.error as { readonly code: string } | undefined)?.code
    if (code === 'no-such-route' || code === 'method-not-allowed') return
    const bare = path.replace(/\?.*/, '')
    const template = Object.keys(this.document.paths).find((one) =>
      new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(bare),
    )
    const operation = this.document.paths[template ?? '']?.[method.toLowerCase()]
    const declared = operation?.responses[status]
    expect(declared, `${method} ${template} ${status} is in the OpenAPI file`).toBeDefined()
    if (status === 200) {
      const schema = declared?.content['application/json']?.schema as Parameters<typeof z.fromJSONSchema>[0]
      expect(z.fromJSONSchema(schema).safeParse(body).error).toBeUndefined()
    }
    Backend.seen.add(`${method} ${template} ${status}`)
  }
}

const withApi = async (target: Target, options = {}): Promise<{ server: RunningTarget; backend: Backend }> => {
  const server = await target.start({ apiKey: [API_KEY], ...options })
  return { server, backend: await Backend.of(server) }
}

describeWire('the HTTP API', (target) => {
  it('is off without a key', async () => {
    const server = await target.start()
    const backend = await Backend.of(server)
    expect(await backend.ask('GET', '/rooms')).toMatchObject({ status: 403, body: { error: { code: 'no-api-key' } } })
  })

  it('asks for a key', async () => {
    const { backend } = await withApi(target)
    for (const authorization of ['', 'Bearer', `Bearer ${API_KEY}x`, `Basic ${API_KEY}`, API_KEY]) {
      const answered = await backend.ask('GET', '/rooms', undefined, { authorization })
      expect(answered).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
      expect(answered.headers.get('www-authenticate')).toBe('Bearer realm="partyline"')
    }
    expect(await backend.ask('GET', '/rooms', undefined, { authorization: `bearer ${API_KEY}` })).toMatchObject({
      status: 200,
    })
  })

  it('stands below the base path', async () => {
    const { backend } = await withApi(target, { basePath: '/party' })
    expect(backend.url).toMatch(/\/party\/api\/v1$/)
    expect(await backend.ask('GET', '/rooms')).toMatchObject({ status: 200, body: { rooms: [] } })
  })

  it('lists rooms, page by page, and members', async () => {
    const { server, backend } = await withApi(target)
    for (const room of ['b', 'a', 'c', 'ä/ö?%']) await target.joined(server, { room, profile: { in: room } })
    expect(await backend.ask('GET', '/rooms')).toMatchObject({
      body: { rooms: ['a', 'b', 'c', 'ä/ö?%'].map((name) => ({ name, members: 1, away: 0, hidden: 0 })) },
    })
    const first = await backend.ask('GET', '/rooms?limit=3')
    expect(first.body.next).toBe('c')
    const second = await backend.ask('GET', '/rooms?limit=3&after=c')
    expect(second.body).toEqual({ rooms: [{ name: 'ä/ö?%', members: 1, away: 0, hidden: 0 }] })
    const odd = `/rooms/${encodeURIComponent('ä/ö?%')}`
    expect(await backend.ask('GET', odd)).toMatchObject({ body: { name: 'ä/ö?%', members: 1 } })
    const { body } = await backend.ask('GET', `${odd}/members`)
    const [member] = body.members as { id: string }[]
    expect(member).toMatchObject({ profile: { in: 'ä/ö?%' }, presence: 'here', hidden: false })
    expect((await backend.ask('GET', `${odd}/members/${member?.id}`)).body).toEqual(member)
  })

  it('publishes to a room, in order', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const [ada, bob] = [await target.joined(server, { room }), await target.joined(server, { room })]
    await target.joined(server, { room: freshRoom() })
    const told = []
    for (let index = 0; index < 5; index += 1) {
      told.push(await backend.ask('POST', `/rooms/${room}/messages`, { channel: 'news', data: { index } }))
    }
    expect(told.map(({ status, body }) => [status, body.members])).toEqual(told.map(() => [200, 2]))
    for (const member of [ada, bob]) {
      for (let index = 0; index < 5; index += 1) {
        expect(await member.next('published')).toEqual({
          ...{ t: 'published', n: index + 1, to: 'room', channel: 'news', data: { index } },
          ...{ id: told[index]?.body.id, sentAtMs: told[index]?.body.sentAtMs },
        })
      }
    }
    expect(
      (await backend.ask('POST', `/rooms/${freshRoom()}/messages`, { channel: 'x', data: null })).body.members,
    ).toBe(0)
  })

  it('publishes to a member, and bytes', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const [ada, bob] = [await target.joined(server, { room }), await target.joined(server, { room })]
    const path = `/rooms/${room}/members/${ada.id}/messages`
    expect(await backend.ask('POST', path, { channel: 'news', base64: 'aGk=' })).toMatchObject({ body: { members: 1 } })
    expect(await ada.next('published')).toMatchObject({ to: 'member', base64: 'aGk=' })
    await bob.settle()
    expect(bob.unread.filter(({ t }) => t === 'published')).toEqual([])
  })

  it('publishes to all members of a user, hidden ones too, and removes them', async () => {
    const { server, backend } = await withApi(target, { access: 'token', accessSecret: [SECRET] })
    const [one, other] = [freshRoom(), freshRoom()]
    const enter = async (room: string, sub: string, rights?: string[]) => {
      const client = await target.connect(server)
      const claims = { rooms: ['*'], sub, ...(rights && { rights }) }
      const access = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(SECRET))
      const { instance, joinKey } = client
      client.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room, profile: null, instance, joinKey, access })
      const { peerId } = await client.next('welcome')
      return Object.assign(client, { id: peerId })
    }
    const [phone, laptop, eve] = [await enter(one, 'ada'), await enter(other, 'ada', []), await enter(one, 'eve')]
    expect((await backend.ask('POST', '/users/ada/messages', { channel: 'c', data: 1 })).body.members).toBe(2)
    expect(
      (await backend.ask('POST', '/users/ada/messages', { channel: 'c', data: 2, room: other })).body.members,
    ).toBe(1)
    expect((await backend.ask('POST', '/users/nobody/messages', { channel: 'c', data: 3 })).body.members).toBe(0)
    expect(await phone.next('published')).toMatchObject({ to: 'user', data: 1 })
    expect(await laptop.next('published')).toMatchObject({ to: 'user', data: 1 })
    expect(await laptop.next('published')).toMatchObject({ to: 'user', data: 2 })
    await eve.settle()
    expect([...phone.unread, ...eve.unread].filter(({ t }) => t === 'published')).toEqual([])
    expect((await backend.ask('GET', `/rooms/${other}`)).body).toEqual({ name: other, members: 1, away: 0, hidden: 1 })
    expect((await backend.ask('GET', `/rooms/${other}/members`)).body).toMatchObject({
      members: [{ id: laptop.id, userId: 'ada', hidden: true }],
    })
    expect((await backend.ask('DELETE', `/rooms/${other}/members/${laptop.id}`)).body).toEqual({ removed: 1 })
    expect((await laptop.closed).code).toBe(4005)
    expect((await backend.ask('POST', '/users/ada/messages', { channel: 'c', data: 4 })).body.members).toBe(1)
  })

  it('keeps what is published while a member is away, until it says that it saw it', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const ada = await target.connect(server)
    const { token, published } = await ada.join({ room })
    expect(published).toBeUndefined()
    const publish = (data: number) => backend.ask('POST', `/rooms/${room}/messages`, { channel: 'news', data })
    await publish(1)
    await publish(2)
    await ada.next('published')
    await ada.next('published')
    ada.say({ t: 'ping', n: 1, published: 1 })
    await ada.next('pong')
    ada.drop()
    await publish(3)
    const again = (seen?: number) => ({
      ...{ t: 'join', id: 1, vMin: 1, vMax: 1, room, profile: null, token },
      ...{ instance: ada.instance, joinKey: ada.joinKey, ...(seen === undefined ? {} : { published: seen }) },
    })
    const back = await target.connect(server)
    back.say(again())
    expect(await back.next('welcome')).toMatchObject({ resumed: true, published: 1 })
    expect([await back.next('published'), await back.next('published')]).toMatchObject([
      { n: 2, data: 2 },
      { n: 3, data: 3 },
    ])
    const later = await target.connect(server)
    later.say(again(3))
    expect(await later.next('welcome')).toMatchObject({ resumed: true, published: 3 })
    await publish(4)
    expect(await later.next('published')).toMatchObject({ n: 4, data: 4 })
  })

  it('keeps no more than is good', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const ada = await target.connect(server)
    const { token } = await ada.join({ room })
    ada.drop()
    const long = 'x'.repeat(60_000)
    for (let index = 1; index <= 6; index += 1) {
      await backend.ask('POST', `/rooms/${room}/messages`, { channel: 'news', data: long })
    }
    const back = await target.connect(server)
    const { instance, joinKey } = ada
    back.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room, profile: null, token, instance, joinKey, published: 0 })
    expect(await back.next('welcome')).toMatchObject({ resumed: true, published: 2 })
    expect((await back.next('published')).n).toBe(3)
  })

  it('removes members and closes rooms, for good', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const [ada, bob, eve] = [
      await target.joined(server, { room }),
      await target.joined(server, { room }),
      await target.joined(server, { room }),
    ]
    const path = `/rooms/${room}/members/${ada.id}`
    expect(await backend.ask('DELETE', path)).toMatchObject({ status: 200, body: { removed: 1 } })
    expect(await ada.closed).toMatchObject({ code: 4005 })
    expect(await bob.next('left')).toMatchObject({ id: ada.id, reason: 'removed' })
    expect(await backend.ask('DELETE', path)).toMatchObject({
      status: 404,
      body: { error: { code: 'no-such-member' } },
    })
    // Those who may keep it by a direct path hear of it again.
    expect(await bob.next('left')).toMatchObject({ id: ada.id, reason: 'removed' })
    expect(await backend.ask('DELETE', `/rooms/${room}`)).toMatchObject({ status: 200, body: { removed: 2 } })
    expect([(await bob.closed).code, (await eve.closed).code]).toEqual([4005, 4005])
    expect(bob.unread.filter(({ t }) => t === 'left')).toEqual([])
    expect(await backend.ask('DELETE', `/rooms/${room}`)).toMatchObject({ status: 404 })
    expect(await backend.ask('GET', '/rooms')).toMatchObject({ body: { rooms: [] } })
  })

  it('carries a request with an Idempotency-Key out once', async () => {
    const { server, backend } = await withApi(target)
    const room = freshRoom()
    const ada = await target.joined(server, { room })
    const path = `/rooms/${room}/messages`
    const body = { channel: 'news', data: 1 }
    const headers = { 'idempotency-key': 'order-7' }
    const first = await backend.ask('POST', path, body, headers)
    const second = await backend.ask('POST', path, body, headers)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(second.body).toEqual(first.body)
    const other = await backend.ask('POST', path, { ...body, data: 2 }, headers)
    expect(other).toMatchObject({ status: 422, body: { error: { code: 'idempotency-key-reused' } } })
    await ada.next('published')
    await ada.settle()
    expect(ada.unread.filter(({ t }) => t === 'published')).toEqual([])
    const remove = `/rooms/${room}/members/${ada.id}`
    expect(await backend.ask('DELETE', remove, undefined, headers)).toMatchObject({ status: 200 })
    expect(await backend.ask('DELETE', remove, undefined, headers)).toMatchObject({ status: 200 })
    expect(await backend.ask('DELETE', remove)).toMatchObject({ status: 404 })
    for (const wrong of ['', 'x'.repeat(256), 'a b']) {
      const answered = await backend.ask('POST', path, body, { 'idempotency-key': wrong })
      if (wrong !== '') expect(answered).toMatchObject({ status: 400, body: { error: { field: 'Idempotency-Key' } } })
    }
  })

  it.each([
    ['no JSON', '{', 400, undefined],
    ['no object', '[]', 400, undefined],
    ['no channel', { data: 1 }, 400, 'channel'],
    ['an empty channel', { channel: '', data: 1 }, 400, 'channel'],
    ['a long channel', { channel: 'ä'.repeat(31), data: 1 }, 400, 'channel'],
    ['nothing to say', { channel: 'c' }, 400, 'data'],
    ['both forms', { channel: 'c', data: 1, base64: '' }, 400, 'data'],
    ['no base64', { channel: 'c', base64: 'a' }, 400, 'base64'],
    ['a field that is none', { channel: 'c', data: 1, to: 'x' }, 400, undefined],
    ['too large data', { channel: 'c', data: 'x'.repeat(65_536) }, 400, 'data'],
    ['a body beyond all bounds', { channel: 'c', data: 'x'.repeat(300_000) }, 413, undefined],
    ['depth', `{"channel":"c","data":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'data'],
  ])('refuses a message with %s', async (_, body, status, field) => {
    const { backend } = await withApi(target)
    const answered = await backend.ask('POST', '/rooms/r/messages', body)
    expect(answered.status).toBe(status)
    if (field !== undefined) expect(answered.body).toMatchObject({ error: { field } })
  })

  it('refuses what else is wrong, in the same form', async () => {
    const { backend } = await withApi(target)
    const codes = async (asked: Promise<Answered>): Promise<unknown> => {
      const { status, body } = await asked
      return [status, (body.error as { readonly code: string }).code]
    }
    expect(await codes(backend.ask('GET', '/nothing'))).toEqual([404, 'no-such-route'])
    expect(await codes(backend.ask('GET', ''))).toEqual([404, 'no-such-route'])
    expect(await codes(backend.ask('POST', '/rooms', {}))).toEqual([405, 'method-not-allowed'])
    expect(await codes(backend.ask('GET', '/rooms/x'))).toEqual([404, 'no-such-room'])
    expect(await codes(backend.ask('GET', '/rooms/x/members'))).toEqual([404, 'no-such-room'])
    expect(await codes(backend.ask('GET', '/rooms/x/members/0000000000000001'))).toEqual([404, 'no-such-member'])
    expect(await codes(backend.ask('GET', '/rooms/x/members/xyz'))).toEqual([400, 'bad-request'])
    expect(await codes(backend.ask('GET', `/rooms/${'x'.repeat(129)}`))).toEqual([400, 'bad-request'])
    expect(await codes(backend.ask('GET', '/rooms/%ff'))).toEqual([400, 'bad-request'])
    expect(await codes(backend.ask('GET', '/rooms?limit=0'))).toEqual([400, 'bad-request'])
    expect(await codes(backend.ask('GET', '/rooms?page=1'))).toEqual([400, 'bad-request'])
    expect(await codes(backend.ask('GET', '/rooms/x/history'))).toEqual([501, 'not-implemented'])
    expect(await codes(backend.ask('DELETE', '/rooms/x/history'))).toEqual([501, 'not-implemented'])
    const member = '/rooms/x/members/0000000000000001/messages'
    expect(await codes(backend.ask('POST', member, { channel: 'c', data: 1 }))).toEqual([404, 'no-such-member'])
    const type = { 'content-type': 'text/plain' }
    expect(await codes(backend.ask('POST', '/rooms/x/messages', '{}', type))).toEqual([415, 'unsupported-media-type'])
  })

  it('is told in full by its OpenAPI file', async () => {
    const { backend } = await withApi(target)
    expect(backend.document.openapi).toBe('3.1.0')
    const declared = Object.entries(backend.document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method.toUpperCase()} ${path} ${status}`),
      ),
    )
    const operations = (names: Iterable<string>): string[] =>
      [...new Set([...names].map((name) => name.replace(/ \d+$/, '')))].sort()
    // Every operation was asked above, and what it answered is in the file; all its good answers have been seen.
    expect(operations(Backend.seen)).toEqual(operations(declared))
    expect(declared.filter((name) => name.endsWith(' 200') && !Backend.seen.has(name))).toEqual([])
    expect(JSON.stringify(backend.document)).not.toMatch(/"\$ref":"#\/(?!components\/)/)
  })
})
