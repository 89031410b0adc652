import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { WireClient } from '../conformance/wire-client.ts'
import { openingRequest, openPolled, pollRequest } from './server/http-bytes.ts'
import { joinText } from './server/joining.ts'
import type { RawConnection } from './server/raw-connection.ts'
import { describeUnderAttack, type Scene } from './server/under-attack.ts'
import { OPCODE, upgrade, webSocketFrame } from './server/web-socket-bytes.ts'

const FROM = '127.0.0.66'
const MB = 1_048_576
const LIFE_MS = 60_000

const DEAF: readonly (readonly [string, (scene: Scene, room: string) => Promise<RawConnection>])[] = [
  [
    'websocket',
    async ({ connect }, room) => {
      const connection = await connect({ from: FROM })
      await upgrade(connection)
      connection.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room }) }))
      await connection.until(/"welcome"/)
      connection.socket.pause()
      return connection
    },
  ],
  [
    'sse',
    async ({ connect }, room) => {
      const connection = await connect({ from: FROM })
      connection.write(openingRequest('sse', joinText({ room })))
      await connection.until(/data: /)
      connection.socket.pause()
      return connection
    },
  ],
  [
    'long-poll',
    async ({ connect }, room) => {
      const connection = await connect({ from: FROM })
      const secret = await openPolled(connection, 'long-poll', joinText({ room }))
      connection.socket.pause()
      connection.write(pollRequest(secret, 1))
      return connection
    },
  ],
]
const DEAF_EACH = 10
const POURED_BYTES = 60_000

const pages = mkdtempSync(join(tmpdir(), 'partyline-large-page-'))
mkdirSync(join(pages, 'assets'))
writeFileSync(join(pages, 'assets/large.bin'), new Uint8Array(8 * MB))
afterAll(() => rmSync(pages, { recursive: true, force: true }))

describeUnderAttack(
  'readers that never read',
  (scene) => {
    it(
      'lose their uplinks on every carrier, while those who read go on and the memory stays bounded',
      async () => {
        const { server } = scene
        const beforeBytes = await server.rssBytes()
        const room = 'deaf'
        for (const [, open] of DEAF) {
          for (let times = 0; times < DEAF_EACH; times += 1) await open(scene, room)
        }
        const talker = await WireClient.connect(server.url)
        await talker.join({ room })
        const listener = await WireClient.connect(server.url)
        await listener.join({ room })
        const all = DEAF.length * DEAF_EACH
        let most = 0
        let said = 0
        const untilMs = performance.now() + LIFE_MS
        for (;;) {
          talker.send({ kind: 'all' }, `${said} ${'x'.repeat(POURED_BYTES)}`)
          expect((await listener.nextFrame()).payload.startsWith(`${said} `)).toBe(true)
          said += 1
          await after(20)
          if (said % 25 > 0) continue
          most = Math.max(most, (await server.rssBytes()) - beforeBytes)
          // The two who talk, and the honest.
          if ((await server.stats()).connections <= 5) break
          if (performance.now() > untilMs) break
        }
        expect((await server.stats()).connections).toBe(5)
        // A MiB for each, and what engines and the collector take beside.
        expect(most).toBeLessThan(all * 6 * MB)
        talker.drop()
        listener.drop()
      },
      LIFE_MS + 30_000,
    )

    it('of a large file cost no copy of it each', async () => {
      const { server, connect } = scene
      const beforeBytes = await server.rssBytes()
      const readers = await Promise.all(Array.from({ length: 200 }, () => connect({ from: FROM, deaf: true })))
      for (const reader of readers) reader.write('GET /assets/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(4))
      await after(1_500)
      expect((await server.rssBytes()) - beforeBytes).toBeLessThan(200 * MB)
    })

    it('of answers that they ask for without end are let go of', async () => {
      const { server, connect } = scene
      const beforeBytes = await server.rssBytes()
      const askers = await Promise.all(Array.from({ length: 50 }, () => connect({ from: FROM, deaf: true })))
      const many = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2_000)
      for (let times = 0; times < 10; times += 1) {
        for (const asker of askers) asker.write(many)
        await after(50)
      }
      const stillThere = (): number => {
        const there = askers.filter(({ over }) => !over)
        // Who reads nothing finds out by writing.
        for (const asker of there) asker.write('x')
        return there.length
      }
      await expect.poll(stillThere, { timeout: 30_000 }).toBe(0)
      // 1,000,000 answers of 340 bytes would be 340 MB.
      expect((await server.rssBytes()) - beforeBytes).toBeLessThan(200 * MB)
    })
  },
  { options: { pages }, grownBytes: 300 * MB },
)
