import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { environmentName } from '../../signaling/options/table.ts'
import { TOP } from './tracked-files.ts'

const dockerfile = readFileSync(join(TOP, 'Dockerfile'), 'utf8')
const instructions = dockerfile.replaceAll('\\\n', ' ').split('\n')
const argumentsOf = (name: string): string[][] =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(/\s+/).slice(1))

describe('the image', () => {
  it('has the data folder of the server on its volume', () => {
    const [[volume] = []] = argumentsOf('VOLUME')
    expect(argumentsOf('ENV').flat()).toContain(`${environmentName('dataFolder')}=${volume}`)
  })

  it('is made from files that are here, and that .dockerignore lets through', () => {
    const sources = argumentsOf('COPY')
      .filter(([first]) => !first?.startsWith('--from='))
      .flatMap((names) => names.slice(0, -1))
    const letThrough = readFileSync(join(TOP, '.dockerignore'), 'utf8').split('\n')
    expect(sources.length).toBeGreaterThan(5)
    expect(sources.filter((source) => !existsSync(join(TOP, source)))).toEqual([])
    expect(sources.filter((source) => !letThrough.includes(`!${source.split('/')[0]}`))).toEqual([])
  })
})

describe('its health check', () => {
  let stop: (() => unknown) | undefined
  afterEach(() => stop?.())

  const exitCode = async (environment: Readonly<Record<string, string>>): Promise<unknown> => {
    const child = spawn(process.execPath, [join(TOP, 'signaling/setup/container-health.mjs')], {
      env: environment,
      stdio: 'inherit',
    })
    const [code]: unknown[] = await once(child, 'exit')
    return code
  }

  const serve = async (server: ReturnType<typeof createServer>, path: string, status = 200): Promise<string> => {
    server.on('request', (request, response) => response.writeHead(request.url === path ? status : 404).end())
    stop = () => server.close()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return String(typeof address === 'object' ? address?.port : '')
  }

  it('is content with 200, and finds the port as the server does', async () => {
    const port = await serve(createServer(), '/healthz')
    expect(await exitCode({ PORT: port })).toBe(0)
    expect(await exitCode({ PORT: '1', PARTYLINE_PORT: port })).toBe(0)
  })

  it.each(['/party', '/party/'])('knows the base path %s', async (base) => {
    const port = await serve(createServer(), '/party/healthz')
    expect(await exitCode({ PORT: port, PARTYLINE_BASE_PATH: base })).toBe(0)
  })

  it('asks by TLS, too, whatever the certificate says', async () => {
    const pair = await generate([{ name: 'commonName', value: 'elsewhere.example' }], { keyType: 'ec' })
    const port = await serve(createSecureServer({ key: pair.private, cert: pair.cert }), '/healthz')
    expect(await exitCode({ PORT: port })).toBe(0)
  })

  it('fails when the server says no, or is not there', async () => {
    const port = await serve(createServer(), '/healthz', 503)
    expect(await exitCode({ PORT: port })).toBe(1)
    expect(await exitCode({ PORT: '1' })).toBe(1)
  })
})
