import { request } from 'node:http'
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

describeWire('over HTTP', (target) => {
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
})
