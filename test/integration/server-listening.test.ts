import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { chooseEngine } from '../../signaling/net/engines.ts'
import { NetworkError } from '../../signaling/net/network.ts'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { startServer } from '../../signaling/server.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { CountedTime } from '../support/lateness.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function start(options: ServerOptionsInput) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'partyline-server-'))
  undo.push(() => rmSync(dataFolder, { recursive: true, force: true }))
  const server = await startServer({ port: 0, dataFolder, turn: 'off', logLevel: 'silent', ...options })
  undo.push(() => server.close())
  return server
}

describe('the engine', () => {
  it('falls back to ws when the native module does not load, and says why', async () => {
    const load = () => Promise.reject(new NetworkError('engine-missing', 'GLIBC_2.38 not found'))
    expect(await chooseEngine('auto', load)).toMatchObject({ engine: 'ws', fallbackReason: 'GLIBC_2.38 not found' })
    await expect(chooseEngine('uws', load)).rejects.toMatchObject({ code: 'engine-missing' })
  })
})

describe('ICE servers that no member could use', () => {
  it.each([
    [{ turn: 'auto', turnServers: ['turn.example:99999'], turnSecret: ['0123456789abcdef'] }, 'turnServers'],
    [{ turn: 'auto', turnServers: ['-.example'], turnSecret: ['0123456789abcdef'] }, 'turnServers'],
    [{ turn: 'off', stunServers: Array.from({ length: 17 }, (_, index) => `stun:s${index}.example`) }, 'stunServers'],
    [{ turn: 'auto', turnHost: 'turn..example.', turnPort: 34_781 }, 'turnHost'],
  ] as const)('are refused at the start, not in each join: %j', async (options, key) => {
    await expect(start({ host: '127.0.0.1', ...options })).rejects.toMatchObject({ code: 'bad-option', key })
  })
})

describe.each(['uws', 'ws'] as const)('listening on %s', (engine) => {
  it('says that the port is in use', async () => {
    const first = await start({ engine, host: '127.0.0.1' })
    await expect(start({ engine, host: '127.0.0.1', port: first.port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringMatching(/already listens on 127\.0\.0\.1, port \d+\. .*--port/),
    })
    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(0, () => resolve()))
    undo.push(() => stranger.close())
    const { port } = stranger.address() as { port: number }
    await expect(start({ engine, port })).rejects.toMatchObject({ code: 'port-in-use' })
  })

  it('frees its port on close, and two do not share one', async () => {
    const first = await start({ engine })
    const { port } = first
    await first.close()
    const second = await start({ engine, port })
    await expect(start({ engine: 'uws', port })).rejects.toMatchObject({ code: 'port-in-use' })
    await expect(start({ engine: 'ws', port })).rejects.toMatchObject({ code: 'port-in-use' })
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200)
  })

  it('listens on IPv4 and IPv6', async () => {
    const { port } = await start({ engine })
    for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
      expect((await fetch(`http://${host}:${port}/healthz`)).status).toBe(200)
    }
  })

  it('cannot listen on an address that is not ours', async () => {
    await expect(start({ engine, host: '203.0.113.1' })).rejects.toMatchObject({ code: 'address-unavailable' })
  })

  it('notices within 10 s that a peer has fallen silent', async () => {
    const server = await start({ engine, host: '127.0.0.1' })
    const witness = await WireClient.connect(server.url)
    undo.push(() => witness.drop())
    await witness.join({ room: 'pulse' })
    // Raw, because every WebSocket library answers pings.
    const socket = connect(server.port, '127.0.0.1')
    undo.push(() => socket.destroy())
    const frame = (text: string): Buffer => {
      const body = Buffer.from(text)
      const head = Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0])
      return Buffer.concat([head, body])
    }
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await new Promise((resolve) => socket.once('data', resolve))
    const join = { t: 'join', id: 1, vMin: 1, vMax: 1, room: 'pulse', profile: null }
    const startedMs = performance.now()
    // The server is in this process, too.
    const time = new CountedTime()
    undo.push(() => time.stop())
    socket.write(frame(JSON.stringify({ ...join, instance: '1'.repeat(32), joinKey: '2'.repeat(32) })))
    await witness.next('joined')
    let codeSeen: number | undefined
    socket.on('data', (bytes: Buffer) => {
      const at = bytes.indexOf(Buffer.from([0x88]))
      if (at >= 0 && bytes.length >= at + 4) codeSeen = bytes.readUInt16BE(at + 2)
    })
    const away = (): boolean => witness.unread.some((message) => message.t === 'changed' && message.presence === 'away')
    await expect.poll(away, { timeout: 40_000 }).toBe(true)
    expect(performance.now() - startedMs).toBeGreaterThan(7_000)
    expect(time.passedMs).toBeLessThan(11_500)
    // By another connection, and so maybe later.
    await expect.poll(() => codeSeen).toBe(4000)
    // The witness was quiet all the time too, but answered its pings.
    await witness.settle()
  }, 60_000)
})
