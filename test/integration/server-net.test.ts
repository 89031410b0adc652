import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { BodyError, type HttpHandler, type Network } from '../../signaling/net/network.ts'
import { listenWithUws } from '../../signaling/net/uws-engine.ts'
import { listenWithWs } from '../../signaling/net/ws-engine.ts'

const open: Network[] = []
afterEach(async () => {
  for (const network of open.splice(0)) await network.close(0)
})

const errors: unknown[] = []

describe.each([
  ['uws', listenWithUws],
  ['ws', listenWithWs],
] as const)('HTTP on %s', (_, listen) => {
  async function serve(http: HttpHandler): Promise<string> {
    errors.length = 0
    const network = await listen({
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      webSocketPath: '/ws',
      maxMessageBytes: 1_000,
      maxQueuedBytes: 1_000,
      upgrade: () => ({ refuse: { status: 403, message: 'no' } }),
      http,
      onError: (error) => errors.push(error),
    })
    open.push(network)
    return `http://127.0.0.1:${network.port}`
  }

  it('streams an answer part by part, as event streams need it', async () => {
    let more: (text: string) => void = () => undefined
    let end: () => void = () => undefined
    const url = await serve((_request, response) => {
      response.begin(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      more = (text) => response.write(text)
      end = () => response.end()
    })
    const answer = await fetch(url)
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    const read = async (): Promise<string | undefined> => {
      const { value } = await reader.read()
      return value === undefined ? undefined : new TextDecoder().decode(value)
    }
    expect(await read()).toBe('data: 1\n\n')
    more('data: 2\n\n')
    expect(await read()).toBe('data: 2\n\n')
    end()
    expect(await read()).toBeUndefined()
  })

  it('tells when the client goes away, and ignores what is written afterwards', async () => {
    const aborted = new Promise<void>((resolve, reject) => {
      serve((_request, response) => {
        response.begin(200, {})
        response.write('hello')
        response.onAborted(() => {
          expect(response.closed).toBe(true)
          response.write('nobody hears this')
          response.end('nor this')
          resolve()
        })
      }).then((url) => {
        const asked = request(url, (answer) => answer.once('data', () => asked.destroy()))
        asked.on('error', () => undefined)
        asked.end()
      }, reject)
    })
    await aborted
    expect(errors).toEqual([])
  })

  it('says when a slow reader must be waited for, and when it has caught up', async () => {
    const chunk = new Uint8Array(262_144)
    let written = 0
    let drained: () => void = () => undefined
    const caughtUp = new Promise<void>((resolve) => {
      drained = resolve
    })
    const url = await serve((_request, response) => {
      response.begin(200, {})
      response.onDrained(() => {
        drained()
        response.end('the end')
      })
      do written += 1
      while (response.write(chunk) === 'sent' && written < 1_000)
    })
    const answer = await fetch(url)
    expect(written).toBeLessThan(1_000)
    const body = new Uint8Array(await answer.arrayBuffer())
    await caughtUp
    expect(body.length).toBe(written * chunk.length + 'the end'.length)
  })

  it('reads bodies up to the limit of the route', async () => {
    const url = await serve(async (request, response) => {
      try {
        const body = await request.body(1_000_000)
        response.begin(200, { 'x-method': request.method, 'x-query': request.query })
        response.end(body)
      } catch (error) {
        response.begin(error instanceof BodyError && error.code === 'too-large' ? 413 : 500, {})
        response.end()
      }
    })
    const bytes = new Uint8Array(900_000).map((__, index) => index % 251)
    const answer = await fetch(`${url}/a?b=c`, { method: 'POST', body: bytes })
    expect(answer.headers.get('x-query')).toBe('b=c')
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true)
    const tooLarge = await fetch(url, { method: 'POST', body: new Uint8Array(1_000_001) })
    expect(tooLarge.status).toBe(413)
    expect(await (await fetch(url, { method: 'POST' })).text()).toBe('')
  })

  it('makes of thousands of requests that come at once on one connection no more than may be answered', async () => {
    const url = await serve((_request, response) => response.end())
    let made = 0
    const count = (): void => {
      made += 1
    }
    subscribe('http.server.request.start', count)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5_000))
    socket.resume()
    await closed
    unsubscribe('http.server.request.start', count)
    // With the one that was too many. uWebSockets.js makes none that node:http would tell of.
    expect(made).toBeLessThanOrEqual(65)
    expect(errors).toEqual([])
  })

  it('answers 500 when a handler throws or rejects, and lives on', async () => {
    const url = await serve((request, response) => {
      if (request.path === '/throw') throw new Error('thrown')
      if (request.path === '/reject') return Promise.reject(new Error('rejected'))
      response.begin(200, {})
      response.end('fine')
      return undefined
    })
    expect((await fetch(`${url}/throw`)).status).toBe(500)
    expect((await fetch(`${url}/reject`)).status).toBe(500)
    expect(await (await fetch(url)).text()).toBe('fine')
    expect(errors.map((error) => (error as Error).message)).toEqual(['thrown', 'rejected'])
  })
})
