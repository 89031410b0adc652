import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { messageRecord, readBatch } from '../../signaling/protocol/batch.ts'
import { HttpWire } from './http-wire.ts'
import { describeWire, freshRoom, isExternal } from './target.ts'

const join = (): string => {
  const key = randomBytes(16).toString('hex')
  const room = freshRoom()
  return JSON.stringify({ t: 'join', id: 1, vMin: 1, vMax: 1, room, profile: null, instance: key, joinKey: key })
}
const ping = (n: number): Uint8Array => messageRecord(JSON.stringify({ t: 'ping', n }))
const texts = (body: Buffer): string[] =>
  readBatch(body).flatMap((record) => (record.kind === 'text' ? [JSON.parse(record.text).t] : []))

/** Requests of one's own making, on an uplink that nobody polls. */
async function bare(url: string, carrier = 'long-poll', headers: Record<string, string> = {}) {
  const wire = HttpWire.requests(url)
  const opening = { 'partyline-carrier': carrier, ...headers }
  const { status, body, headers: answered } = await wire.ask('POST', '', opening, messageRecord(join()))
  const records = status === 200 && carrier !== 'sse' ? readBatch(body) : []
  const [opened, second] = records
  const secret = opened?.kind === 'opened' ? opened.token : ''
  const named = (n: number) => ({ 'partyline-uplink': `${secret} ${n}` })
  return { wire, status, answered, records, second, named }
}

describeWire(
  'carriers over plain HTTP',
  (target) => {
    it('answer the join that opens them with the welcome, and may not be kept by anybody', async () => {
      const { url } = await target.start()
      const { records, answered } = await bare(url)
      expect(records.map(({ kind }) => kind)).toEqual(['opened', 'text'])
      expect(answered['cache-control']).toBe('no-store, no-transform')
      expect(answered['x-accel-buffering']).toBe('no')
    })

    it('count a request that is repeated once, and give the answer of a repeated poll again', async () => {
      const { url } = await target.start()
      const { wire, named } = await bare(url)
      for (let times = 0; times < 2; times += 1) {
        expect((await wire.ask('POST', '/send', named(1), ping(1))).status).toBe(200)
      }
      const first = await wire.ask('GET', '/poll', named(1))
      expect(texts(first.body)).toEqual(['pong'])
      expect((await wire.ask('GET', '/poll', named(1))).body).toEqual(first.body)
      await wire.ask('POST', '/send', named(2), ping(2))
      expect(texts((await wire.ask('GET', '/poll', named(2))).body)).toEqual(['pong'])
    })

    it.each(['/send', '/poll'])('end with a number at %s that is not the next', async (path) => {
      const { url } = await target.start()
      const { wire, named } = await bare(url)
      const method = path === '/poll' ? 'GET' : 'POST'
      expect((await wire.ask(method, path, named(3))).status).toBe(410)
      expect((await wire.ask(method, path, named(1))).status).toBe(410)
    })

    it('give a stream to an EventSource, once', async () => {
      const { url } = await target.start()
      const { wire, second, named } = await bare(url, 'sse; ticket')
      const ticket = second?.kind === 'ticket' ? second.ticket : ''
      const stream = await fetch(`${url}/uplink/stream?ticket=${ticket}`)
      expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect((await fetch(`${url}/uplink/stream?ticket=${ticket}`)).status).toBe(410)
      await wire.ask('POST', '/send', named(1), ping(1))
      let text = ''
      for await (const part of stream.body ?? []) {
        text += Buffer.from(part).toString('latin1')
        if (/pong/.test(Buffer.from(/data: (\S+)\n\n$/.exec(text)?.[1] ?? '', 'base64').toString('latin1'))) break
      }
      expect(text.startsWith(':')).toBe(true)
      expect(text.indexOf('\n\n')).toBeGreaterThan(2_000)
    })

    it('end when an EventSource does not come for its stream within 10 s, and refuse it later', async () => {
      const { url } = await target.start()
      const { wire, second, named } = await bare(url, 'sse; ticket')
      const ticket = second?.kind === 'ticket' ? second.ticket : ''
      let n = 0
      const send = (): Promise<number> => {
        n += 1
        return wire.ask('POST', '/send', named(n), ping(n)).then(({ status }) => status)
      }
      expect(await send()).toBe(200)
      await expect.poll(send, { timeout: 30_000, interval: 500 }).toBe(410)
      expect((await fetch(`${url}/uplink/stream?ticket=${ticket}`)).status).toBe(410)
    }, 60_000)

    it('name what is wrong with a request', async () => {
      const { url } = await target.start()
      const { wire, named } = await bare(url)
      expect(await wire.ask('POST', '', {})).toMatchObject({ status: 400 })
      expect(await wire.ask('POST', '', { 'partyline-carrier': 'sse' }, new Uint8Array(40_000))).toMatchObject({
        status: 413,
      })
      expect(await wire.ask('GET', '/poll', {})).toMatchObject({ status: 410 })
      expect(await wire.ask('GET', '/stream?ticket=guess', {})).toMatchObject({ status: 410 })
      expect(await wire.ask('GET', '/nothing', {})).toMatchObject({ status: 404 })
      expect(await wire.ask('POST', '/send', named(1), new Uint8Array(600_000))).toMatchObject({ status: 413 })
    })

    it('let in pages of the origins that may connect, and tell their browsers so', async () => {
      const { url } = await target.start()
      const origin = 'http://localhost:5173'
      const { wire, answered } = await bare(url, 'long-poll', { origin })
      expect(answered['access-control-allow-origin']).toBe(origin)
      const preflight = await wire.ask('OPTIONS', '/send', { origin })
      expect(preflight.status).toBe(204)
      expect(preflight.headers['access-control-allow-headers']).toMatch(/partyline-uplink/)
      const refused = await wire.ask('POST', '', { origin: 'https://evil.example', 'partyline-carrier': 'sse' })
      expect(refused.status).toBe(403)
      expect(refused.headers['access-control-allow-origin']).toBeUndefined()
      expect(refused.body.toString()).toContain('--origins https://evil.example')
    })

    it.skipIf(isExternal)(
      'drop who never sends the body that was announced',
      async () => {
        const { url } = await target.start()
        const { hostname, port } = new URL(url)
        const socket = connect(Number(port), hostname)
        const over = new Promise<void>((resolve) => socket.on('close', () => resolve()))
        socket.on('error', () => undefined)
        socket.resume()
        socket.write('POST /uplink HTTP/1.1\r\nHost: x\r\nPartyline-Carrier: sse\r\nContent-Length: 100\r\n\r\n')
        const trickle = setInterval(() => socket.write('x'), 1_000)
        await over
        clearInterval(trickle)
      },
      60_000,
    )

    it.skipIf(isExternal)(
      'hold a poll until there is something, for longer than engines keep idle connections',
      async () => {
        const { url } = await target.start()
        const { wire, named } = await bare(url)
        const held = wire.ask('GET', '/poll', named(1))
        await wire.ask('POST', '/send', named(1), new Uint8Array())
        // After 10 s without a word the server asks, by an empty answer.
        const { status, body } = await held
        expect([status, body.length]).toEqual([200, 0])
      },
      60_000,
    )
  },
  ['long-poll'],
)
