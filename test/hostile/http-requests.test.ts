import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lifeOf } from './server/raw-connection.ts'
import { describeUnderAttack } from './server/under-attack.ts'
import { upgradeRequest } from './server/web-socket-bytes.ts'

const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'
const HIDDEN = `${HEALTH}\r\n`
const POST = 'POST /uplink HTTP/1.1\r\nHost: localhost\r\nPartyline-Carrier: short-poll\r\n'
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n`
const hide = (head: string, body = ''): string => `${head}\r\n${body}${HIDDEN}`

/** Requests of which a proxy and a server may take different parts for the body, each with another behind it. */
const SMUGGLING: readonly (readonly [string, string])[] = [
  ['a length and chunks', hide(`${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, '0\r\n\r\n')],
  ['chunks and a length', hide(`${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n')],
  ['two lengths', hide(`${POST}Content-Length: 3\r\nContent-Length: 0\r\n`, 'abc')],
  ['two lengths, the first 0', hide(`${POST}Content-Length: 0\r\nContent-Length: 45\r\n`)],
  ['the same length twice', hide(`${POST}Content-Length: 3\r\nContent-Length: 3\r\n`, 'abc')],
  ['a list of lengths', hide(`${POST}Content-Length: 3, 3\r\n`, 'abc')],
  ['a length with a sign', hide(`${POST}Content-Length: +3\r\n`, 'abc')],
  ['a length below 0', hide(`${POST}Content-Length: -3\r\n`, 'abc')],
  ['a length in hex', hide(`${POST}Content-Length: 0x3\r\n`, 'abc')],
  ['a length beyond any number', hide(`${POST}Content-Length: 99999999999999999999\r\n`, 'abc')],
  ['a space before the colon', hide(`${POST}Content-Length : 3\r\n`, 'abc')],
  ['a coding that there is not', hide(`${POST}Transfer-Encoding: xchunked\r\n`, '0\r\n\r\n')],
  ['two codings', hide(`${CHUNKED}Transfer-Encoding: identity\r\n`, '0\r\n\r\n')],
  ['a list of codings', hide(`${POST}Transfer-Encoding: identity, chunked\r\n`, '0\r\n\r\n')],
  ['a coding behind a vertical tab', hide(`${POST}Transfer-Encoding:\u000bchunked\r\n`, '0\r\n\r\n')],
  ['a coding on a line of its own', hide(`${POST}Transfer-Encoding:\r\n chunked\r\n`, '0\r\n\r\n')],
  ['a header line that begins with a space', hide(`${HEALTH} X: y\r\n`)],
  ['a header without a colon', hide(`${HEALTH}Odd\r\n`)],
  ['a chunk of no size', hide(CHUNKED, 'zz\r\nabc\r\n0\r\n\r\n')],
  ['a chunk of less than nothing', hide(CHUNKED, '-1\r\nabc\r\n0\r\n\r\n')],
  ['a chunk of 2^68', hide(CHUNKED, 'ffffffffffffffff0\r\nabc\r\n0\r\n\r\n')],
  ['lines that end in a bare line feed', 'GET /healthz HTTP/1.1\nHost: localhost\n\n'],
  ['a bare line feed in a header', hide(`${HEALTH}X: a\nContent-Length: 45\r\n`)],
  ['a bare carriage return in a header', hide(`${HEALTH}X: a\rb\r\n`)],
  ['a null byte in a header', hide(`${HEALTH}X: a\u0000b\r\n`)],
  ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ['two hosts', hide(`${HEALTH}Host: other\r\n`)],
  ['another version', 'GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a way through', 'CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['TLS', '\u0016\u0003\u0001\u0000\u00f1\u0001\u0000\u0000\u00ed\u0003\u0003'],
]

const HUGE: readonly (readonly [string, string])[] = [
  ['one of 20 KiB', `${HEALTH}Cookie: ${'c'.repeat(20_480)}\r\n\r\n`],
  ['one of 1 MiB', `${HEALTH}Cookie: ${'c'.repeat(1_048_576)}\r\n\r\n`],
  ['3,000 of them', `${HEALTH}${Array.from({ length: 3_000 }, (_, index) => `X${index}: y\r\n`).join('')}\r\n`],
  ['an address of 20 KiB', `GET /${'a'.repeat(20_480)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['an address of 1 MiB', `GET /${'a'.repeat(1_048_576)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['an upgrade with 20 KiB', upgradeRequest(`Sec-WebSocket-Protocol: partyline, join.${'A'.repeat(20_480)}\r\n`)],
]

const LIFE_MS = 40_000

describeUnderAttack('HTTP requests', (scene) => {
  const { connect } = scene

  it(
    'of which nobody can tell where they end are refused with their connection, and nothing behind them is answered',
    async () => {
      const found = await Promise.all(
        SMUGGLING.map(async ([name, bytes]) => {
          const connection = await connect()
          connection.write(bytes)
          const overMs = await lifeOf(connection, LIFE_MS)
          // Refused with words, or without.
          const good = connection.statuses.filter((status) => status < 400)
          return { name, over: overMs < LIFE_MS, good }
        }),
      )
      expect(found).toEqual(SMUGGLING.map(([name]) => ({ name, over: true, good: [] })))
    },
    LIFE_MS + 30_000,
  )

  it('are answered one after the other when some come at once, and with the end of the connection when thousands do', async () => {
    const some = await connect()
    some.write(HIDDEN.repeat(50))
    some.write(`${HEALTH}Connection: close\r\n\r\n`)
    await expect.poll(() => some.statuses.length, { timeout: LIFE_MS }).toBe(51)
    expect(some.statuses.every((status) => status === 200)).toBe(true)
    const thousands = await connect()
    thousands.write(HIDDEN.repeat(5_000))
    await thousands.closed
    expect(thousands.statuses.every((status) => status === 200)).toBe(true)
  })

  it.each(HUGE)('with huge headers are refused: %s', async (_, bytes) => {
    const connection = await connect()
    connection.write(bytes)
    expect(await lifeOf(connection, LIFE_MS)).toBeLessThan(LIFE_MS)
    expect([[], [400], [414], [431], [505]]).toContainEqual(connection.statuses)
  })

  it('whose headers never end are refused, however they come', async () => {
    const connection = await connect()
    connection.write(HEALTH)
    const line = Buffer.from(`X: ${'y'.repeat(1_000)}\r\n`)
    const pouring = setInterval(() => connection.write(line), 2)
    expect(await lifeOf(connection, LIFE_MS)).toBeLessThan(LIFE_MS)
    clearInterval(pouring)
    expect([[], [431]]).toContainEqual(connection.statuses)
  })

  it('for bodies larger than a route takes get 413 or the end of the connection, and are not kept', async () => {
    const connection = await connect()
    connection.write(`${POST}Content-Length: 1073741824\r\n\r\n`)
    const part = new Uint8Array(262_144)
    const pouring = setInterval(() => connection.write(part), 2)
    await new Promise((resolve) => setTimeout(resolve, 500))
    clearInterval(pouring)
    expect([[], [413]]).toContainEqual(connection.statuses)
  })

  it('with bodies in chunks of one byte hold the bytes, and no more for each', async () => {
    const before = await scene.server.memory()
    const bodies = 10
    for (let body = 0; body < bodies; body += 1) {
      const connection = await connect()
      connection.write(`${CHUNKED}\r\n${'1\r\nA\r\n'.repeat(32_000)}`)
    }
    let grownBytes = 0
    // A question is answered in a turn of its own: behind some of them, all that has come has been read.
    for (let asked = 0; asked < 10; asked += 1) {
      const { rssBytes } = await scene.server.memory()
      grownBytes = Math.max(grownBytes, rssBytes - before.rssBytes)
    }
    // Kept as pieces they took 12 MB each.
    expect(grownBytes).toBeLessThan(bodies * 5 * 1_048_576)
  })
})

const SECRET = 'nobody should read this'
const top = mkdtempSync(join(tmpdir(), 'partyline-pages-'))
mkdirSync(join(top, 'pages/assets'), { recursive: true })
mkdirSync(join(top, 'pages/chat'))
for (const page of ['index.html', 'chat/index.html']) writeFileSync(join(top, 'pages', page), '<!doctype html>')
for (const file of ['secret.txt', 'pages/.secret', 'pages/assets/.env']) writeFileSync(join(top, file), SECRET)
afterAll(() => rmSync(top, { recursive: true, force: true }))

const UPWARDS = [
  '/..',
  '/%2e%2e',
  '/%2E%2e',
  '/.%2e',
  '/%252e%252e',
  '/%25252e%25252e',
  '/%c0%ae%c0%ae',
  '/%e0%80%ae%e0%80%ae',
  '/%uff0e%uff0e',
  '/..;',
  '/...',
  '/chat/..',
]
const PATHS = [
  ...UPWARDS.flatMap((up) =>
    ['/', '%2f', '%252f', '\\', '%5c', '%255c', '//'].map((slash) => `${up}${slash}secret.txt`),
  ),
  ...UPWARDS.flatMap((up) => [
    `/chat${up}${up}/secret.txt`,
    `/assets${up}${up}/secret.txt`,
    `/client${up}${up}${up}/secret.txt`,
  ]),
  `${join(top, 'secret.txt')}`,
  `/${join(top, 'secret.txt')}`,
  `/${encodeURIComponent(join(top, 'secret.txt'))}`,
  `/file://${join(top, 'secret.txt')}`,
  '/.secret',
  '/%2esecret',
  '/./.secret',
  '/assets/.env',
  '/chat/../.secret',
  '/secret.txt%00.html',
  '/..%00/secret.txt',
  '/%00',
  '/%',
  '/%zz',
  '/\\\\localhost\\secret.txt',
  '/C:\\secret.txt',
  '/__proto__',
  '/constructor',
  '/client/__proto__',
  '/etc/passwd',
  '//etc/passwd',
  '/.git/config',
  '/package.json',
]

describeUnderAttack(
  'paths of static files',
  ({ connect }) => {
    it('lead nowhere but to the files that are listed', async () => {
      // Each by itself: one that is refused takes its connection along.
      const found = []
      for (const path of PATHS) {
        for (const target of [path, `${path}?x`]) {
          const connection = await connect()
          connection.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
          await connection.until(/HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n[\s\S]/)
          connection.destroy()
          const [status = 0] = connection.statuses
          if (![400, 404, 505].includes(status) || connection.received.includes(SECRET)) found.push([target, status])
        }
      }
      expect(found).toEqual([])
    })

    it('lead nobody to another server', async () => {
      for (const path of [
        '//evil.example/',
        '//evil.example/..',
        '/\\evil.example',
        '//chat',
        '/chat//evil.example/%2e%2e',
      ]) {
        const connection = await connect()
        connection.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        await connection.until(/HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n/)
        expect(connection.received).not.toMatch(/location: *(?:\/\/|\/\\|https?:)/i)
      }
    })
  },
  { options: { pages: join(top, 'pages') } },
)
