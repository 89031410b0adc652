import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../signaling/server.ts'

const LARGE = `/* ${'party '.repeat(200_000)} */`

describe.each([
  ['uws', '/'],
  ['ws', '/'],
  ['uws', '/party'],
] as const)('pages on %s below %s', (engine, basePath) => {
  let folder: string
  let server: RunningServer
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(server.url + path, { headers, method, redirect: 'manual' })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'partyline-pages-'))
    const pages = join(folder, 'pages')
    for (const sub of ['chat', 'assets', '.hidden']) mkdirSync(join(pages, sub), { recursive: true })
    writeFileSync(join(pages, 'index.html'), '<!doctype html><title>start</title>')
    writeFileSync(join(pages, 'chat/index.html'), '<!doctype html><title>chat</title>')
    writeFileSync(join(pages, 'assets/chat-B3xQ9a_z.js'), LARGE)
    writeFileSync(join(pages, 'theme.js'), 'tiny()')
    writeFileSync(join(pages, '.hidden/secret.txt'), 'secret')
    server = await startServer({
      ...{ port: 0, host: '127.0.0.1', engine, basePath, pages, turn: 'off', logLevel: 'silent' },
      dataFolder: join(folder, 'data'),
    })
  })
  afterAll(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('serves pages with their type and security headers', async () => {
    const answer = await get('/')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('<title>start')
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('referrer-policy')).toBe('same-origin')
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    expect(server.hasPages).toBe(true)
  })

  it('leads /chat to /chat/, with its query', async () => {
    const answer = await get('/chat?room=lobby')
    expect(answer.status).toBe(308)
    expect(answer.headers.get('location')).toBe(`${basePath === '/' ? '' : basePath}/chat/?room=lobby`)
    expect(await (await get('/chat/')).text()).toContain('<title>chat')
  })

  it('answers a known etag with 304', async () => {
    const etag = (await get('/theme.js')).headers.get('etag') ?? ''
    expect(etag).not.toBe('')
    const again = await get('/theme.js', { 'if-none-match': etag })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    expect(again.headers.get('etag')).toBe(etag)
  })

  it('compresses what is large, and lets hashed files be kept for ever', async () => {
    const plain = await get('/assets/chat-B3xQ9a_z.js', { 'accept-encoding': 'identity' })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(plain.headers.get('cache-control')).toContain('immutable')
    expect((await plain.text()) === LARGE).toBe(true)
    const zipped = await get('/assets/chat-B3xQ9a_z.js', { 'accept-encoding': 'gzip, br' })
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(zipped.headers.get('vary')).toBe('accept-encoding')
    expect((await zipped.text()) === LARGE).toBe(true)
  })

  it('answers HEAD with the length and no body', async () => {
    const answer = await get('/assets/chat-B3xQ9a_z.js', { 'accept-encoding': 'identity' }, 'HEAD')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-length')).toBe(String(LARGE.length))
    expect(await answer.text()).toBe('')
  })

  it('does not serve what begins with a dot, nor what is not there', async () => {
    expect((await get('/.hidden/secret.txt')).status).toBe(404)
    expect((await get('/nothing')).status).toBe(404)
  })
})

describe('without pages', () => {
  it('says how to build them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'partyline-pages-'))
    const server = await startServer({
      ...{ port: 0, host: '127.0.0.1', pages: join(folder, 'none'), turn: 'off', logLevel: 'silent' },
      dataFolder: folder,
    })
    const answer = await fetch(server.url)
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('npm run build')
    expect(server.hasPages).toBe(false)
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })
})
