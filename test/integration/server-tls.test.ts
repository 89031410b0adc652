import { X509Certificate } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { DataFolder } from '../../signaling/data-folder.ts'
import type { NetworkOptions, SocketHandlers } from '../../signaling/net/network.ts'
import { listenWithUws } from '../../signaling/net/uws-engine.ts'
import { listenWithWs } from '../../signaling/net/ws-engine.ts'
import { startServer } from '../../signaling/server.ts'
import { selfSignedFiles } from '../../signaling/tls/self-signed.ts'
import { WireClient } from '../conformance/wire-client.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'partyline-tls-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const certificateOn = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })

const fingerprint = (path: string): string => new X509Certificate(readFileSync(path)).fingerprint256

const echo: NetworkOptions['upgrade'] = () => ({
  accept: (socket): SocketHandlers => ({
    text: (text) => void socket.send(text),
    binary: () => undefined,
    heard: () => undefined,
    drained: () => undefined,
    closed: () => undefined,
  }),
})

it('makes a self-signed certificate anew when the one kept is no pair', async () => {
  const folder = new DataFolder(temporaryFolder())
  const files = await selfSignedFiles(folder, [])
  const others = await selfSignedFiles(new DataFolder(temporaryFolder()), [])
  const made = fingerprint(files.certFile)
  await selfSignedFiles(folder, [])
  expect(fingerprint(files.certFile)).toBe(made)
  cpSync(others.keyFile, files.keyFile)
  await selfSignedFiles(folder, [])
  expect(fingerprint(files.certFile)).not.toBe(made)
})

describe.each([
  ['uws', listenWithUws],
  ['ws', listenWithWs],
] as const)('TLS on %s', (engine, listen) => {
  it('serves a self-signed certificate that survives a restart', async () => {
    const dataFolder = temporaryFolder()
    const options = {
      port: 0,
      host: '127.0.0.1',
      engine,
      tls: 'self-signed',
      dataFolder,
      turn: 'off',
      logLevel: 'silent',
    } as const
    const first = await startServer(options)
    expect(first.url).toMatch(/^https:\/\/localhost:\d+$/)
    const before = await certificateOn(first.port)
    const client = await WireClient.connect(`https://127.0.0.1:${first.port}`, { rejectUnauthorized: false })
    expect((await client.join({ room: 'secure' })).room).toBe('secure')
    await first.close()
    const second = await startServer(options)
    undo.push(() => second.close())
    expect(await certificateOn(second.port)).toBe(before)
    expect(statSync(join(dataFolder, 'tls/self-signed-key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataFolder, 'signing-key')).mode & 0o777).toBe(0o600)
  })

  it('takes a new certificate over without dropping connections, and refuses one that is no pair', async () => {
    const files = await selfSignedFiles(new DataFolder(temporaryFolder()), [])
    const others = await selfSignedFiles(new DataFolder(temporaryFolder()), [])
    const errors: unknown[] = []
    const network = await listen({
      host: '127.0.0.1',
      port: 0,
      tls: files,
      webSocketPath: '/ws',
      maxMessageBytes: 1_000,
      maxQueuedBytes: 1_000_000,
      upgrade: echo,
      http: () => undefined,
      onError: (error) => errors.push(error),
    })
    undo.push(() => network.close(0))
    const ws = new WebSocket(`wss://127.0.0.1:${network.port}/ws`, { rejectUnauthorized: false })
    const heard = (): Promise<string> => new Promise((resolve) => ws.once('message', (data) => resolve(String(data))))
    await new Promise((resolve) => ws.once('open', resolve))

    await expect(network.reloadTls({ certFile: others.certFile, keyFile: files.keyFile })).rejects.toMatchObject({
      code: 'tls-invalid',
    })
    expect(await certificateOn(network.port)).toBe(fingerprint(files.certFile))
    const oldFingerprint = fingerprint(files.certFile)
    cpSync(others.certFile, files.certFile)
    cpSync(others.keyFile, files.keyFile)
    await network.reloadTls(files)
    for (let turn = 0; turn < 20; turn += 1) {
      expect(await certificateOn(network.port)).toBe(fingerprint(others.certFile))
    }
    expect(oldFingerprint).not.toBe(fingerprint(others.certFile))
    const answer = heard()
    ws.send('still here')
    expect(await answer).toBe('still here')
    expect(errors).toEqual([])
  })

  it('does not start with files that cannot be used', async () => {
    const dataFolder = temporaryFolder()
    const starting = startServer({
      port: 0,
      engine,
      dataFolder,
      tlsCert: '/no/cert',
      tlsKey: '/no/key',
      turn: 'off',
      logLevel: 'silent',
    })
    await expect(starting).rejects.toThrow(/The certificate \/no\/cert and the key/)
  })
})
