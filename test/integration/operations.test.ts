import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { type RunningServer, startServer } from '../../signaling/server.ts'
import { verifyWebhook } from '../../signaling/webhooks/signature.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { freePort } from '../support/free-port.ts'

const KEY = 'an-api-key-of-thirty-two-letters'
const BEARER = { authorization: `Bearer ${KEY}` }
/** As a proxy on this machine says it of somebody elsewhere. */
const FORWARDED = { 'x-forwarded-for': '203.0.113.9' }

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

interface Logged {
  readonly level: string
  readonly message: string
}

interface Started {
  readonly server: RunningServer
  readonly input: ServerOptionsInput
  readonly lines: Logged[]
}

async function started(options: ServerOptionsInput = {}): Promise<Started> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'partyline-operations-'))
  if (options.dataFolder === undefined) undo.push(() => rmSync(dataFolder, { recursive: true, force: true }))
  const input = { host: '127.0.0.1', port: 0, turn: 'off', ...options, dataFolder } as const
  const lines: Logged[] = []
  const say =
    (level: string) =>
    (_: object, message: string): void =>
      void lines.push({ level, message })
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const server = await startServer(input, { log })
  undo.push(() => server.close())
  return { server, input, lines }
}

async function joined(server: RunningServer, room = 'lobby'): Promise<WireClient> {
  const client = await WireClient.connect(server.url)
  await client.join({ room })
  return client
}

describe.each(['uws', 'ws'] as const)('on %s', (engine) => {
  describe('/metrics', () => {
    it('are told to this machine, and count what went through', async () => {
      const { server } = await started({ engine })
      const [ada, bob] = [await joined(server), await joined(server)]
      ada.send({ kind: 'all' }, 'hello')
      await bob.nextFrame()
      ada.say({ t: 'ping', n: 1, paths: { direct: 1, turn: 0, relay: 2 } })
      await ada.next('pong')
      const answer = await fetch(`${server.url}/metrics`)
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
      const text = await answer.text()
      expect(text).toMatch(/^partyline_sessions\{carrier="websocket"\} 2$/m)
      expect(text).toMatch(/^partyline_deliveries_total 1$/m)
      expect(text).toMatch(/^partyline_links\{path="relay"\} 2$/m)
      expect(text).toMatch(/^partyline_event_loop_delay_seconds\{percentile="99"\} \d/m)
      expect(text).not.toMatch(/NaN|undefined/)
    })

    it('are told to others who have the key only', async () => {
      const { server, lines } = await started({ engine, apiKey: [KEY] })
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await fetch(`${server.url}/metrics`, { headers })).status
      expect(await status(FORWARDED)).toBe(401)
      expect(await status({ ...FORWARDED, authorization: 'Bearer wrong' })).toBe(401)
      expect(await status({ ...FORWARDED, ...BEARER })).toBe(200)
      expect(lines.filter(({ message }) => message === 'somebody has a wrong API key')).toHaveLength(1)
    })

    it('are nobody’s without a key, everyone’s when open, and not there when off', async () => {
      const { server, input } = await started({ engine })
      const ask = (): Promise<Response> => fetch(`${server.url}/metrics`, { headers: FORWARDED })
      expect((await ask()).status).toBe(403)
      expect(await (await ask()).text()).toContain('--api-key')
      server.reload(() => ({ ...input, metrics: 'open' }))
      expect((await ask()).status).toBe(200)
      server.reload(() => ({ ...input, metrics: 'off' }))
      expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
      expect((await fetch(`${server.url}/metrics`, { method: 'POST' })).status).toBe(405)
    })
  })

  it('the admin page’s data want the key, also from this machine', async () => {
    const { server } = await started({ engine, apiKey: [KEY], basePath: '/party' })
    await joined(server)
    expect((await fetch(`${server.url}/admin/data`)).status).toBe(401)
    const answer = await fetch(`${server.url}/admin/data`, { headers: BEARER })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({
      present: { readiness: 'ready', hub: { members: 1, rooms: 1 } },
      points: [{ rooms: 0, here: 0 }],
    })
    const later = await fetch(`${server.url}/admin/data?after=${Date.now()}`, { headers: BEARER })
    expect(await later.json()).toMatchObject({ points: [] })
  })

  describe('a reload', () => {
    it('changes limits, origins and keys, and drops nobody', async () => {
      const { server, input, lines } = await started({ engine, apiKey: [KEY] })
      const ada = await joined(server)
      const origin = { headers: { origin: 'https://app.example' } }
      await expect(WireClient.connect(server.url, origin)).rejects.toThrow(/403/)
      const next = { membersPerRoom: 1, origins: ['https://app.example'], apiKey: [KEY.toUpperCase()], port: 1 }
      expect(server.reload(() => ({ ...input, ...next }))).toBe(true)
      expect(lines).toContainEqual({ level: 'info', message: 'taken: --origins, --members-per-room, --api-key' })
      expect(lines).toContainEqual({ level: 'warn', message: 'only after a restart: --port' })
      const late = await WireClient.connect(server.url, origin)
      late.sayJoin({ room: 'lobby' })
      expect(await late.next('error')).toMatchObject({ code: 'room-full' })
      expect((await fetch(`${server.url}/admin/data`, { headers: BEARER })).status).toBe(401)
      await ada.settle()
    })

    it('refuses what cannot be used with one line, and everything stays', async () => {
      const { server, input, lines } = await started({ engine })
      const ada = await joined(server)
      lines.length = 0
      expect(server.reload(() => ({ ...input, membersPerRoom: 0 }))).toBe(false)
      expect(lines).toEqual([
        {
          level: 'error',
          message:
            'the new configuration is refused, the old one stays: option "membersPerRoom": expected a whole number from 1 to 100,000, got 0',
        },
      ])
      await ada.settle()
      await joined(server)
      expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(
        /^partyline_config_reloads_total\{result="refused"\} 1$/m,
      )
    })

    it('of the signing keys keeps sessions as long as the old key is among them', async () => {
      const [one, two] = ['1'.repeat(32), '2'.repeat(32)]
      const { server, input } = await started({ engine, signingKey: [one] })
      const ada = await WireClient.connect(server.url)
      const { token, peerId } = await ada.join({ room: 'lobby' })
      server.reload(() => ({ ...input, signingKey: [two, one] }))
      await ada.settle()
      const again = await WireClient.connect(server.url)
      const { instance } = ada
      const back = await again.join({ room: 'lobby', token, instance })
      expect(back).toMatchObject({ peerId, resumed: true })
      server.reload(() => ({ ...input, signingKey: [two] }))
      const late = await WireClient.connect(server.url)
      late.sayJoin({ room: 'lobby', token, instance })
      expect(await late.next('error')).toMatchObject({ code: 'token-invalid' })
      const last = await WireClient.connect(server.url)
      expect(await last.join({ room: 'lobby', token: back.token, instance })).toMatchObject({ peerId, resumed: true })
    })
  })

  it('a drain says so first, moves 200 members, each at its own time, and all come back to the next server', async () => {
    const { server, input } = await started({ engine, port: await freePort(), drainDelayMs: 6_000 })
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ready' })
    const members = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = await WireClient.connect(server.url)
        const room = `room ${index % 10}`
        return { client, room, welcome: await client.join({ room }) }
      }),
    )
    const startedMs = performance.now()
    const closed = server.close({ restart: true })
    const ready = await fetch(`${server.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    // Nothing else has changed for a while, in which a busy machine may well do this: whoever comes by a load balancer
    // that has not noticed is served.
    await (await joined(server)).settle()
    const byes = await Promise.all(members.map(({ client }) => client.next('bye')))
    const waits = byes.map(({ retryAfterMs = 0 }) => retryAfterMs)
    expect(new Set(byes.map(({ code }) => code))).toEqual(new Set([1012]))
    // Told a least time, and up to as much again.
    const least = Math.min(...waits)
    expect(least).toBeGreaterThanOrEqual(100)
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * least)
    expect(new Set(waits.map((wait) => Math.floor((10 * wait) / least))).size).toBeGreaterThan(5)
    const closes = await Promise.all(members.map(({ client }) => client.closed))
    expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]))
    await closed
    expect(performance.now() - startedMs).toBeLessThan(20_000)

    const next = await started(input)
    const back = await Promise.all(
      members.map(async ({ client: { instance }, room, welcome: { token } }) =>
        (await WireClient.connect(next.server.url)).join({ room, token, instance }),
      ),
    )
    expect(back.map(({ peerId }) => peerId)).toEqual(members.map(({ welcome }) => welcome.peerId))
    expect(next.server.stats()).toMatchObject({ members: 200, resumes: 200 })
  })
})

it('a reload replaces the keys of access tokens, and leaves members in who came with the old ones', async () => {
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)]
  const { server, input, lines } = await started({ access: 'token', accessSecret: [one] })
  const come = async (secret: string): Promise<WireClient> => {
    const claims = { rooms: ['lobby'], exp: Math.floor(Date.now() / 1_000) + 300 }
    const access = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))
    const client = await WireClient.connect(server.url)
    const { instance, joinKey } = client
    client.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room: 'lobby', profile: null, instance, joinKey, access })
    return client
  }
  const ada = await come(one)
  await ada.next('welcome')
  expect(server.reload(() => ({ ...input, accessSecret: [two] }))).toBe(true)
  expect(lines).toContainEqual({ level: 'info', message: 'taken: --access-secret' })
  expect(await (await come(one)).next('error')).toMatchObject({ code: 'denied' })
  await (await come(two)).next('welcome')
  await ada.settle()
  expect(server.reload(() => ({ ...input, accessSecret: [] }))).toBe(false)
  await (await come(two)).next('welcome')
})

it('a reload takes another public key from the same file, and says so', async () => {
  const keys = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')] as const
  const folder = mkdtempSync(join(tmpdir(), 'partyline-key-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'key.pem')
  const publish = (index: 0 | 1): void =>
    writeFileSync(file, keys[index].publicKey.export({ type: 'spki', format: 'pem' }))
  publish(0)
  const { server, input, lines } = await started({ access: 'token', accessPublicKey: file })
  const come = async (index: 0 | 1): Promise<string> => {
    const claims = { rooms: ['lobby'], exp: Math.floor(Date.now() / 1_000) + 300 }
    const access = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(keys[index].privateKey)
    const client = await WireClient.connect(server.url)
    const { instance, joinKey } = client
    client.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room: 'lobby', profile: null, instance, joinKey, access })
    return Promise.race([client.next('welcome').then(() => 'in'), client.next('error').then(({ code }) => code)])
  }
  expect([await come(0), await come(1)]).toEqual(['in', 'denied'])
  publish(1)
  expect(server.reload(() => input)).toBe(true)
  expect(lines).toContainEqual({ level: 'info', message: 'taken: --access-public-key' })
  expect([await come(0), await come(1)]).toEqual(['denied', 'in'])
  expect(server.reload(() => input)).toBe(true)
  expect(lines.at(-1)).toEqual({ level: 'info', message: 'the configuration was read again: nothing new' })
  writeFileSync(file, 'no key')
  expect(server.reload(() => input)).toBe(false)
  expect(await come(1)).toBe('in')
})

it('a reload takes another webhook secret and another bound of the history, and names what waits for a restart', async () => {
  const taken: { readonly header: string; readonly body: string }[] = []
  const backend = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      taken.push({ header: String(request.headers['partyline-signature']), body })
      response.end()
    })
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  const [one, two, key] = ['1'.repeat(32), '2'.repeat(32), 'k'.repeat(32)]
  const MIB = 1_048_576
  const { server, input, lines } = await started({
    ...{ webhookUrl: `http://127.0.0.1:${port}/`, webhookSecret: [one], apiKey: [key] },
    ...{ history: ['*'], historyBytes: MIB },
  })
  const hooked = async (): Promise<{ readonly header: string; readonly body: string }> => {
    await expect.poll(() => taken.length, { timeout: 10_000 }).toBeGreaterThan(0)
    const [first] = taken.splice(0)
    if (first === undefined) throw new Error('no webhook')
    return first
  }
  const signedBy = ({ header, body }: { readonly header: string; readonly body: string }): boolean[] =>
    [one, two].map((secret) => verifyWebhook(body, header, secret))
  const store = async (): Promise<number> => {
    const response = await fetch(`${server.url}/api/v1/rooms/lobby/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'news', data: 'x'.repeat(60_000), store: true }),
    })
    await response.body?.cancel()
    return response.status
  }
  let status = 0
  for (let times = 0; times < 30 && (status === 0 || status < 300); times += 1) status = await store()
  expect(status).toBe(503)
  expect(signedBy(await hooked())).toEqual([true, false])
  const next = { ...input, webhookSecret: [two], historyBytes: 2 * MIB, turnSecret: [key] }
  expect(server.reload(() => next)).toBe(true)
  expect(lines).toContainEqual({ level: 'info', message: 'taken: --history-bytes, --webhook-secret' })
  expect(lines).toContainEqual({ level: 'warn', message: 'only after a restart: --turn-secret' })
  expect(await store()).toBeLessThan(300)
  // What was under way may be signed by the old one.
  await expect.poll(() => taken.splice(0).map(signedBy).at(-1), { timeout: 10_000 }).toEqual([false, true])
  await new Promise((resolve) => backend.close(resolve))
})
