import { execFileSync } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { envelope } from '../conformance/wire-client.ts'
import { openingRequest, openPolled } from './server/http-bytes.ts'
import { hex, joinText } from './server/joining.ts'
import type { RawConnection } from './server/raw-connection.ts'
import { describeUnderAttack, type Scene } from './server/under-attack.ts'
import { closeCode, OPCODE, upgrade, upgradeRequest, webSocketFrame } from './server/web-socket-bytes.ts'

const MB = 1_048_576
const WANTED = 10_000
/** Files that this process and the server have open beside. */
const SPARE = 500
const mostOpen = Number(
  execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim().replace('unlimited', '1048576'),
)
const silent = Math.min(WANTED, mostOpen - SPARE)
if (silent < WANTED) console.warn(`only ${silent} silent connections, not ${WANTED}: ulimit -Hn is ${mostOpen}`)

/** Fewer than one address may have. */
const PER_ADDRESS = 500
const AT_ONCE = 50
const address = (index: number): string => `127.0.1.${1 + Math.floor(index / PER_ADDRESS)}`

/** As many values as a profile may have, each of the kind that takes the most memory. */
const parts = (first: unknown): unknown[] => [first, ...Array.from({ length: 510 }, () => ({}))]

const text = (message: object): Buffer => webSocketFrame({ opcode: OPCODE.text, body: JSON.stringify(message) })
const offered = (join: string): string =>
  upgradeRequest(`Sec-WebSocket-Protocol: partyline, join.${Buffer.from(join).toString('base64url')}\r\n`)

async function inWaves(count: number, open: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => open(from + index)))
  }
}

async function member({ connect }: Scene, from: string, room = 'hostile'): Promise<RawConnection> {
  const connection = await connect({ from })
  expect(await upgrade(connection)).toBe(true)
  connection.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room }) }))
  expect(await connection.until(/"welcome"/)).toBe(true)
  return connection
}

describeUnderAttack(
  'floods',
  (scene) => {
    it(`of ${silent} connections that say nothing, half of them upgraded, are over in half a minute`, async () => {
      const { server, engine, connect } = scene
      const beforeBytes = await server.rssBytes()
      const all: RawConnection[] = []
      await inWaves(silent, async (index) => {
        const connection = await connect({ from: address(index) })
        all.push(connection)
        if (index % 2 === 0) connection.write(upgradeRequest())
      })
      const duringBytes = await server.rssBytes()
      expect(duringBytes - beforeBytes).toBeLessThan(400 * MB)
      expect(all).toHaveLength(silent)
      await Promise.all(
        all.map(async (connection, index) => {
          // Who is told to go need not answer that; the server would wait a while for it.
          if (index % 2 === 0) await connection.until(/\u0088/)
          else await connection.closed
          connection.destroy()
        }),
      )
      const odd = all.filter((one, index) => index % 2 === 0 && closeCode(one) !== 4000)
      // A server gives up on a request that it has not come to for 10 s: node:http says 408, uWebSockets.js nothing.
      const givenUp = (text: string): boolean => (engine === 'uws' ? text === '' : text.startsWith('HTTP/1.1 408'))
      const heard = odd.map(({ received }) => received)
      expect(heard.filter((text) => !givenUp(text))).toEqual([])
      expect(odd.length).toBeLessThan(silent / 100)
      await expect.poll(() => server.stats(), { timeout: 30_000 }).toMatchObject({ connections: 3, unjoined: 0 })
    }, 180_000)
  },
  { heldBytes: 48 * MB, grownBytes: 400 * MB },
)

/** What one address may have of uplinks. */
const SHARE = 64
const HONEST = 3

describeUnderAttack(
  'floods from one address',
  (scene) => {
    it('of uplinks from one address get its share, by any carrier, and nobody else gets fewer', async () => {
      const { server, connect } = scene
      const from = '127.0.2.1'
      let refused = 0
      await inWaves(2 * SHARE, async (index) => {
        const connection = await connect({ from })
        if (index % 2 === 0) await upgrade(connection)
        else connection.write(openingRequest('sse', joinText({ room: hex(8) })))
        if (index % 2 === 0) connection.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room: hex(8) }) }))
        // An event stream is in base64.
        await connection.until(/"t":"(?:welcome|bye)"|data: \S+\n/)
        if (connection.received.includes('too-many-connections') || /data: \S{90,700}\n/.test(connection.received))
          refused += 1
      })
      expect((await server.stats()).connections).toBeLessThanOrEqual(SHARE + HONEST)
      expect(refused).toBeGreaterThan(0)
      await member(scene, '127.0.2.2')
    })

    it.each(['sse', 'long-poll', 'short-poll'] as const)(
      'of openings that are refused, by %s, leave nothing behind: more of them than one address may have uplinks',
      async (kind) => {
        const { server, connect } = scene
        const from = '127.0.2.3'
        await inWaves(2 * SHARE, async () => {
          const connection = await connect({ from })
          connection.write(openingRequest(kind, '{'))
          await connection.until(/\r\n\r\n/)
          connection.destroy()
        })
        await expect.poll(async () => (await server.stats()).unjoined, { timeout: 30_000 }).toBe(0)
        await member(scene, from)
      },
    )

    it('of joins from one address, with profiles of as many parts as may be, are held to its share, in the room of others too, which goes on', async () => {
      const { server, connect } = scene
      let welcomed = 0
      let refused = 0
      await inWaves(8 * SHARE, async (index) => {
        const connection = await connect({ from: '127.0.3.1' })
        // In rooms that there are not yet, and in the one that there is.
        connection.write(offered(joinText({ room: index % 2 === 0 ? hex(8) : 'honest', profile: parts(index) })))
        await connection.until(/"t":"(?:welcome|bye)"/)
        if (/"welcome"/.test(connection.received)) welcomed += 1
        else if (/too-many-connections|room-full/.test(connection.received)) refused += 1
        connection.destroy()
        // Who has been there stays for a while.
        expect((await server.stats()).members).toBeLessThanOrEqual(4 * SHARE + HONEST)
      })
      expect(welcomed + refused).toBe(8 * SHARE)
      expect(refused).toBeGreaterThan(0)
      await member(scene, '127.0.3.2')
    })

    it.each([
      ['profiles', (n: number) => text({ t: 'profile', id: n, profile: `${n} ${'x'.repeat(4_000)}` })],
      ['profiles of too many parts', (n: number) => text({ t: 'profile', id: n, profile: [...parts(n), n] })],
      ['questions for everybody', (n: number) => text({ t: 'snapshot', id: n })],
      ['renewals', (n: number) => text({ t: 'renew', id: n })],
      ['pings', (n: number) => text({ t: 'ping', n })],
      ['joins once more', (n: number) => text({ t: 'join', id: n })],
    ])('of %s in the room of others are held back, or cost the uplink', async (_, message) => {
      const connection = await member(scene, '127.0.4.1', 'honest')
      const many = Buffer.concat(Array.from({ length: 1_000 }, (__, n) => message(n)))
      for (let times = 0; times < 10 && !connection.over; times += 1) {
        connection.write(many)
        await after(20)
      }
      await after(500)
    })

    it('of frames to nobody, to everybody and to itself are held back, or cost the uplink', async () => {
      const connection = await member(scene, '127.0.4.2', 'elsewhere')
      const frames = Buffer.concat(
        Array.from({ length: 4_000 }, (_, index) =>
          envelope({ kind: index % 2 === 0 ? 'all' : 'except', ids: [] }, ''),
        ),
      )
      const message = webSocketFrame({ opcode: OPCODE.binary, body: frames })
      for (let times = 0; times < 200 && !connection.over; times += 1) {
        connection.write(message)
        await after(5)
      }
    })

    it('of bodies for one uplink, each by a connection of its own, are let go of but for the newest two', async () => {
      const { server, connect } = scene
      const from = '127.0.6.1'
      const secret = await openPolled(await connect({ from }), 'long-poll', joinText({ room: hex(8) }))
      const beforeBytes = await server.rssBytes()
      const all: RawConnection[] = []
      const head = `POST /uplink/send HTTP/1.1\r\nHost: localhost\r\nPartyline-Uplink: ${secret} 1\r\n`
      const body = new Uint8Array(499_000)
      await inWaves(400, async () => {
        const connection = await connect({ from })
        all.push(connection)
        // One that never comes to its end.
        connection.write(`${head}Content-Length: 500000\r\n\r\n`)
        connection.write(body)
      })
      const left = (): number => all.filter(({ over }) => !over).length
      await expect.poll(left, { timeout: 30_000 }).toBeLessThanOrEqual(2)
      expect((await server.rssBytes()) - beforeBytes).toBeLessThan(100 * MB)
    })

    it('of messages of no bytes by as many uplinks as one address may have are held back, in as much memory as is said', async () => {
      const { server } = scene
      const beforeBytes = await server.rssBytes()
      const all: RawConnection[] = []
      await inWaves(SHARE, async () => void all.push(await member(scene, '127.0.5.1')))
      const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => webSocketFrame({ opcode: OPCODE.binary })))
      let mostBytes = 0
      for (let times = 0; times < 30; times += 1) {
        for (const connection of all) connection.write(thousand)
        await after(20)
        if (times % 5 === 4) mostBytes = Math.max(mostBytes, await server.rssBytes())
      }
      // `holdBytes` each, and what engines and the collector take beside.
      expect(mostBytes - beforeBytes).toBeLessThan(SHARE * 3 * MB)
    })
  },
  { options: { connectionsPerAddress: SHARE }, heldBytes: 48 * MB },
)
