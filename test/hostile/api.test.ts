import { afterAll, expect, it } from 'vitest'
import { API_ERROR_CODES, statusOf } from '../../signaling/api/api-error.ts'
import { WireClient } from '../conformance/wire-client.ts'
import fc from '../support/properties.ts'
import { almost } from './arbitrary-hostile.ts'
import { type Asked, Asker } from './server/ask.ts'
import { hex } from './server/joining.ts'
import { describeUnderAttack } from './server/under-attack.ts'

const KEY = 'the-key-of-a-backend-that-may-do-everything'
const BASE = '/api/v1'
const AT_ONCE = 16
const RUNS = 80
/** Larger than the API takes. */
const HUGE = 300_000

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'null')

/** What may stand in a path: encoded as it should be, or not. */
const segment: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .string({ unit: 'binary', maxLength: 20 })
      .map((text) => encodeURIComponent(Buffer.from(text).toString())),
  },
  { weight: 4, arbitrary: fc.constantFrom('lobby', 'team-7', 'ada', '00112233445566ff') },
  fc.constantFrom(
    '',
    '.',
    '..',
    '%2e%2e',
    '%2F',
    '%00',
    '%ff',
    '%',
    '%zz',
    '%ed%a0%80',
    '__proto__',
    'constructor',
    '*',
    ';',
    ':',
    '\u00ff',
  ),
  fc.integer({ min: 100, max: 4_000 }).map((length) => 'x'.repeat(length)),
)
const query: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.webQueryParameters().map((text) => `?${text}`),
  fc.constantFrom(
    '?',
    '?limit=1',
    '?limit=-1',
    '?limit=1e9',
    '?limit=NaN',
    '?limit=1&limit=2',
    '?after=9007199254740993',
    '?before=0',
    '?before=1&after=1',
    '?user=',
    '?user=%ff',
    '?__proto__=1',
    '?after=%ed%a0%80',
    '?limit=%',
    `?after=${'x'.repeat(3_000)}`,
  ),
)
const path: fc.Arbitrary<string> = fc
  .tuple(segment, segment, segment, query)
  .chain(([one, two, three, asked]) =>
    fc
      .constantFrom(
        ...[
          '/rooms',
          `/rooms/${one}`,
          `/rooms/${one}/members`,
          `/rooms/${one}/members/${two}`,
          `/rooms/${one}/history`,
        ],
        ...[`/rooms/${one}/messages`, `/rooms/${one}/members/${two}/messages`, `/users/${one}/messages`],
        ...[`/${one}`, `/${one}/${two}/${three}`, '', '/', '//', '/openapi.json', '/openapi.json/'],
      )
      .map((below) => `${BASE}${below}${asked}`),
  )

const messages: fc.Arbitrary<Buffer> = fc.oneof(
  almost({ channel: 'chat', data: { text: 'hello', n: [1, 2, { deep: true }] }, store: true, room: 'lobby' }).map(json),
  almost({ channel: 'chat', base64: 'aGVsbG8=', store: false }).map(json),
)
const body: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: messages },
  { weight: 2, arbitrary: fc.jsonValue().map(json) },
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  // Cut off, and nested as deeply as there is room for.
  fc.tuple(messages, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1))),
  fc
    .constantFrom(60, 70, 5_000, 100_000)
    .map((levels) => Buffer.from(`{"channel":"chat","data":${'['.repeat(levels)}${']'.repeat(levels)}}`)),
  fc.constantFrom(1_000, 20_000).map((levels) => Buffer.from(`${'{"data":'.repeat(levels)}1${'}'.repeat(levels)}`)),
  fc
    .constantFrom('A'.repeat(87_384), 'A'.repeat(87_388), '='.repeat(1_000), 'A===')
    .map((base64) => json({ channel: 'chat', base64 })),
  fc.constant(Buffer.alloc(HUGE, '{"channel":"chat","data":"')),
  fc.constant(json({ channel: 'chat', data: 'x'.repeat(70_000) })),
)

const type = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    '',
    'text/plain',
    'application/json; charset=utf-16',
    'APPLICATION/JSON',
    'application/jsonx',
    'multipart/form-data; boundary=x',
  ),
)
const authorization = fc.oneof(
  { weight: 12, arbitrary: fc.constant(`Bearer ${KEY}`) },
  fc.constantFrom(
    '',
    'Bearer',
    'Bearer ',
    `Basic ${KEY}`,
    `bearer ${KEY}`,
    `Bearer ${KEY} ${KEY}`,
    `Bearer ${'x'.repeat(4_000)}`,
  ),
)
const more: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  fc
    .constantFrom('order-7', '', 'x'.repeat(2_000), '__proto__', '\u00e4\u00ff')
    .map((key) => ({ 'Idempotency-Key': key })),
  fc.constantFrom<Record<string, string>>(
    { Accept: 'text/html' },
    { Range: 'bytes=0-1' },
    { Origin: 'https://evil.example' },
    { 'X-Forwarded-For': '::ffff:999.1.1.1, \u00ff' },
    { 'Content-Encoding': 'gzip' },
    { Expect: '200-ok' },
    { 'X-HTTP-Method-Override': 'DELETE' },
  ),
)
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constant('POST') },
  { weight: 4, arbitrary: fc.constant('GET') },
  fc.constantFrom('DELETE', 'HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH'),
)

const asked: fc.Arbitrary<Asked> = fc
  .record({ method, path, body: fc.option(body, { freq: 5, nil: undefined }), type, authorization, more })
  .map(({ body: bytes, type: mime, authorization: key, more: headers, ...rest }) => ({
    ...rest,
    body: rest.method === 'GET' || rest.method === 'HEAD' ? undefined : bytes,
    headers: {
      ...(mime === '' ? {} : { 'Content-Type': mime }),
      ...(key === '' ? {} : { Authorization: key }),
      ...(rest.method === 'GET' || rest.method === 'HEAD' ? {} : { 'Content-Length': bytes?.length ?? 0 }),
      ...headers,
    },
  }))

/** Without what was sent, which is long. */
function told({ failed, seed, errorInstance }: { failed: boolean; seed: number; errorInstance: unknown }): void {
  if (failed) throw new Error(`seed ${seed}`, { cause: errorInstance })
}

describeUnderAttack(
  'the HTTP API',
  (scene) => {
    let asker: Asker | undefined
    afterAll(() => asker?.close())

    it('of paths, methods, headers and JSON that nobody should send answers each as it says, and works after', async () => {
      const api = new Asker(scene.server.port)
      asker = api
      const seen = new Map<number, number>()
      await fc.assert(
        fc.asyncProperty(fc.array(asked, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (requests) => {
          const answers = await Promise.all(requests.map((one) => api.ask(one)))
          for (const [index, { status, text }] of answers.entries()) {
            const one = requests[index]
            const what = `${one?.method} ${one?.path} ${one?.body?.subarray(0, 200).toString()}: ${status} ${text.slice(0, 200)}`
            seen.set(status, (seen.get(status) ?? 0) + 1)
            // The end of the connection is an answer to what is too large to be read.
            if (status === 0) expect(one?.body?.length, what).toBe(HUGE)
            else expect(status, what).toBeLessThan(500)
            if (status < 400 || one?.method === 'HEAD' || text === '') continue
            const { error } = JSON.parse(text) as { error: { code: (typeof API_ERROR_CODES)[number]; message: string } }
            expect(API_ERROR_CODES, what).toContain(error.code)
            expect(statusOf(error.code), what).toBe(status)
            expect(error.message, what).not.toBe('')
          }
        }),
        { numRuns: RUNS, endOnFailure: true, reporter: told },
      )
      // All of it was looked at, not only the door.
      for (const status of [200, 400, 401, 404, 405, 415])
        expect([status, seen.get(status) ?? 0]).not.toEqual([status, 0])

      const room = hex(8)
      const member = await WireClient.connect(scene.server.url)
      const { peerId } = await member.join({ room })
      const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' }
      const post = (to: string, message: object) =>
        api.ask({ method: 'POST', path: `${BASE}${to}`, headers, body: json(message) })
      expect(await post(`/rooms/${room}/messages`, { channel: 'chat', data: 'all', store: true })).toMatchObject({
        status: 200,
      })
      expect(await member.next('published')).toMatchObject({ data: 'all' })
      expect(await post(`/rooms/${room}/members/${peerId}/messages`, { channel: 'chat', data: 'you' })).toMatchObject({
        status: 200,
      })
      expect(await member.next('published')).toMatchObject({ data: 'you' })
      const page = await api.ask({ method: 'GET', path: `${BASE}/rooms/${room}/history`, headers })
      expect(JSON.parse(page.text)).toMatchObject({ entries: [{ offset: 1, data: 'all' }] })
      member.drop()
    }, 120_000)
  },
  { options: { apiKey: [KEY], history: ['*;mail=10;age=1h'], mailboxesPerRoom: 100_000 } },
)
