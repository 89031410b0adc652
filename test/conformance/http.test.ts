import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { describeWire, isExternal } from './target.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** `fetch` would normalise the path and hide what is tested. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const asked = request({ hostname, port, path, headers, method, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts).toString('latin1'),
        }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

describeWire(
  'over HTTP',
  (target) => {
    it('answers /healthz', async () => {
      const server = await target.start()
      const answer = await get(server.url, '/healthz')
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 'ok',
        rooms: expect.any(Number),
        members: expect.any(Number),
      })
    })

    it('says on the WebSocket path what it is for', async () => {
      const server = await target.start()
      expect(await get(server.url, '/ws')).toMatchObject({ status: 426 })
    })

    it('answers other methods with 405', async () => {
      const server = await target.start()
      expect(await get(server.url, '/', {}, 'DELETE')).toMatchObject({ status: 405 })
      expect(await get(server.url, '/', {}, 'POST')).toMatchObject({ status: 405 })
    })

    it.each([
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/assets/../../../../etc/passwd',
      '/client/../../package.json',
      '/client/..%5c..%5cpackage.json',
      '//etc/passwd',
      '/%00',
      '/%',
      '/.git/config',
    ])('finds nothing outside its folders at %s', async (path) => {
      const server = await target.start()
      const answer = await get(server.url, path)
      expect([400, 404]).toContain(answer.status)
      expect(answer.body).not.toMatch(/root:|"name"/)
    })

    it('refuses a page of another origin with 403 and says what to configure', async () => {
      const server = await target.start()
      const upgrade = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }
      const answer = await get(server.url, '/ws', { ...upgrade, Origin: 'https://evil.example' })
      expect(answer.status).toBe(403)
      expect(answer.body).toContain('--origins https://evil.example')
    })

    it('answers a request that offers another protocol as if it had not', async () => {
      const server = await target.start()
      const offer = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }
      expect(await get(server.url, '/healthz', offer)).toMatchObject({ status: 200 })
      expect(await get(server.url, '/ws', offer)).toMatchObject({ status: 426 })
    })

    it('takes 12 KiB of headers, in one piece or in several', async () => {
      const server = await target.start()
      const { hostname, port } = new URL(server.url)
      for (const pieceBytes of [20_000, 3_000]) {
        const socket = connect(Number(port), hostname)
        await once(socket, 'connect')
        const text = `GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ${'c'.repeat(12_000)}\r\nConnection: close\r\n\r\n`
        for (let at = 0; at < text.length; at += pieceBytes) {
          socket.write(text.slice(at, at + pieceBytes))
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        const [answer] = (await once(socket, 'data')) as [Buffer]
        socket.destroy()
        expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /)
      }
    })

    it('drops who was refused and neither reads nor closes', async () => {
      const server = await target.start()
      const { hostname, port } = new URL(server.url)
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
      await once(socket, 'connect')
      socket.write(
        'GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      )
      await once(socket, 'data')
      // Writing to a socket that the server still held would go on for ever.
      const broken = once(socket, 'error')
      const writing = setInterval(() => socket.write('x'), 100)
      try {
        expect((await broken)[0]).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) })
      } finally {
        clearInterval(writing)
        socket.destroy()
      }
    }, 60_000)

    it('takes its own origin, localhost, and clients without one', async () => {
      const server = await target.start()
      for (const origin of [server.url, 'http://localhost:5173', 'https://app.localhost', undefined]) {
        const client = await target.connect(server, origin === undefined ? {} : { origin })
        client.close()
        await client.closed
      }
    })

    it.skipIf(isExternal)('takes listed origins, with a wildcard for subdomains', async () => {
      const server = await target.start({ origins: ['https://one.example', 'https://*.two.example'] })
      for (const origin of ['https://one.example', 'https://chat.two.example']) await target.connect(server, { origin })
      for (const origin of ['https://two.example', 'http://one.example', 'https://one.example.evil.example', 'null']) {
        await expect(target.connect(server, { origin })).rejects.toThrow(/403/)
      }
    })

    it.skipIf(isExternal)('serves everything below a base path', async () => {
      const server = await target.start({ basePath: '/party' })
      const { origin } = new URL(server.url)
      expect(await get(origin, '/party/healthz')).toMatchObject({ status: 200 })
      expect(await get(origin, '/party')).toMatchObject({ status: 308, headers: { location: '/party/' } })
      expect(await get(origin, '/healthz')).toMatchObject({ status: 404 })
      await target.connect(server)
      await expect(target.connect({ ...server, url: origin })).rejects.toThrow(/404/)
    })
  },
  ['websocket'],
)
