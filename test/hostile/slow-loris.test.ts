import { expect, it } from 'vitest'
import { openingRequest, openPolled, pollRequest } from './server/http-bytes.ts'
import { joinText } from './server/joining.ts'
import { lifeOf, type RawConnection } from './server/raw-connection.ts'
import { describeUnderAttack } from './server/under-attack.ts'
import { OPCODE, upgrade, upgradeRequest, webSocketFrame } from './server/web-socket-bytes.ts'

/** Not the address of the honest: what one address may have counts for each alone. */
const FROM = '127.0.0.66'
/** The longest patience is 25 s, with an uplink over plain HTTP that says nothing. */
const LIFE_MS = 45_000

/** Writes one byte each `everyMs` as long as it can, and then the last one over and over. */
function trickle(connection: RawConnection, bytes: string | Uint8Array, everyMs: number): void {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  let at = 0
  const timer = setInterval(() => {
    if (connection.over) clearInterval(timer)
    else connection.write(all.subarray(Math.min(at, all.length - 1)).subarray(0, 1))
    at += 1
  }, everyMs)
  void connection.closed.then(() => clearInterval(timer))
}

type Attack = (connection: RawConnection) => Promise<void> | void

const openHead = (kind: string): string =>
  `POST /uplink HTTP/1.1\r\nHost: localhost\r\nPartyline-Carrier: ${kind}\r\nContent-Length: 100\r\n\r\n`

/** Each for as long as it is let. */
const LORIS: readonly (readonly [string, Attack])[] = [
  ['headers byte by byte: a page', (it) => trickle(it, `GET / HTTP/1.1\r\nCookie: ${'x'.repeat(9_999)}`, 300)],
  ['headers byte by byte: websocket', (it) => trickle(it, upgradeRequest(`Cookie: ${'x'.repeat(9_999)}\r\n`), 300)],
  ['headers byte by byte: sse', (it) => trickle(it, openHead('sse').repeat(99), 500)],
  ['headers byte by byte: a poll', (it) => trickle(it, pollRequest('x'.repeat(9_999), 1), 300)],
  ['headers in no hurry at all', (it) => it.write('GET / HTTP/1.1\r\nHost:')],
  ...(['sse', 'long-poll', 'short-poll'] as const).map((kind): readonly [string, Attack] => [
    `body byte by byte: ${kind}`,
    (it) => {
      it.write(openHead(kind))
      trickle(it, 'x', 500)
    },
  ]),
  [
    'body byte by byte: what is said',
    async (it) => {
      const secret = await openPolled(it, 'long-poll')
      it.write(
        `POST /uplink/send HTTP/1.1\r\nHost: localhost\r\nPartyline-Uplink: ${secret} 1\r\nContent-Length: 999\r\n\r\n`,
      )
      trickle(it, 'x', 500)
    },
  ],
  [
    'body in chunks of one byte',
    (it) => {
      it.write(
        'POST /uplink HTTP/1.1\r\nHost: localhost\r\nPartyline-Carrier: sse\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      const timer = setInterval(() => (it.over ? clearInterval(timer) : it.write('1\r\nx\r\n')), 500)
    },
  ],
  [
    'a WebSocket that says nothing',
    async (it) => {
      await upgrade(it)
    },
  ],
  [
    'a WebSocket that only answers pings',
    async (it) => {
      await upgrade(it)
      const timer = setInterval(
        () => (it.over ? clearInterval(timer) : it.write(webSocketFrame({ opcode: OPCODE.pong }))),
        500,
      )
    },
  ],
  [
    'a WebSocket whose join comes byte by byte',
    async (it) => {
      await upgrade(it)
      trickle(it, webSocketFrame({ opcode: OPCODE.text, body: joinText({ profile: 'x'.repeat(3_000) }) }), 300)
    },
  ],
  [
    'a member whose message comes byte by byte',
    async (it) => {
      await upgrade(it)
      it.write(webSocketFrame({ opcode: OPCODE.text, body: joinText() }))
      trickle(it, webSocketFrame({ opcode: OPCODE.binary, body: new Uint8Array(9_999) }), 300)
    },
  ],
  ['an event stream that says nothing', (it) => it.write(openingRequest('sse'))],
  ['an uplink that is never polled', (it) => it.write(openingRequest('short-poll'))],
]
const EACH = 10

describeUnderAttack('clients that are slow on purpose', ({ connect }) => {
  it(
    'are let go of in time, each of them',
    async () => {
      const lives = await Promise.all(
        LORIS.flatMap(([name, attack]) =>
          Array.from({ length: EACH }, async () => {
            const connection = await connect({ from: FROM })
            await attack(connection)
            // The end of an event stream leaves its connection open for another request, for 10 s.
            const ended = connection.until(/\r\n0\r\n\r\n$/).then(() => 0)
            return { name, inTime: (await Promise.race([lifeOf(connection, LIFE_MS), ended])) < LIFE_MS }
          }),
        ),
      )
      expect([...new Set(lives.filter(({ inTime }) => !inTime).map(({ name }) => name))]).toEqual([])
    },
    LIFE_MS + 30_000,
  )
})
