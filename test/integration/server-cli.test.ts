import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { WireClient } from '../conformance/wire-client.ts'
import { freePort } from '../support/free-port.ts'
import { CLI, type Run, partyline as start } from './partyline-command.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

function partyline(...args: readonly string[]): Run {
  const run = start(...args)
  undo.push(() => run.child.kill('SIGKILL'))
  return run
}

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'partyline-cli-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('partyline', () => {
  it.each([
    ['SIGTERM', 1012],
    ['SIGINT', 1001],
  ] as const)('serves, and on %s tells clients to come back (%i) and exits with 0', async (signal, code) => {
    const run = partyline('--port', '0', '--host', '127.0.0.1', '--turn', 'off', '--data-folder', dataFolder())
    const url = await run.printed(/Partyline is ready: (http:\/\/localhost:\d+)\n/)
    const client = await WireClient.connect(url)
    await client.join({ room: 'cli' })
    const startedMs = performance.now()
    run.child.kill(signal)
    expect(await client.next('bye')).toMatchObject({ code, retryAfterMs: expect.any(Number) })
    expect(await client.closed).toMatchObject({ code })
    expect(await run.ended).toMatchObject({ code: 0 })
    // Some 2 s at most, and what a busy machine takes. Nobody is waited for: that would be 10 s and more.
    expect(performance.now() - startedMs).toBeLessThan(8_000)
  })

  it('prints its version and its help', async () => {
    expect((await partyline('--version').ended).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await partyline('--help').ended
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toContain('--turn-external-address')
  })

  it('prints a configuration for coturn', async () => {
    const secret = 'a-secret-of-enough-letters'
    const run = await partyline('turn-config', '--turn-secret', secret, '--turn-port', '3479').ended
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out).toMatch(new RegExp(`^static-auth-secret=${secret}$`, 'm'))
    expect(run.out).toMatch(/^listening-port=3479$/m)
    expect(run.out).toMatch(/^denied-peer-ip=10\.0\.0\.0-10\.255\.255\.255$/m)
  })

  it.each([
    [['--graec-ms', '1'], /^partyline: --graec-ms: no such option; did you mean --grace-ms\?\n/],
    [['dance'], /^partyline: dance: no such command/],
    [['--turn-relay-ports', '9-8'], /^partyline: --turn-relay-ports: /],
    [['--data-folder', join(CLI, 'below-a-file')], /The data folder \S+below-a-file cannot be used: ENOTDIR/],
  ])('says in one line what is wrong with %j', async (args, message) => {
    const run = await partyline(...args, '--port', '0').ended
    expect(run.code).toBe(1)
    expect(run.err).toMatch(message)
    expect(run.err).not.toMatch(/\n\s+at /)
  })

  // Another user's data folder is mostly such a one; to root, who runs tests in containers, nothing is forbidden.
  it('says in one line that a file of the data folder cannot be read', async () => {
    const folder = dataFolder()
    mkdirSync(join(folder, 'departures'))
    const run = await partyline('--data-folder', folder, '--port', '0').ended
    expect(run).toMatchObject({ code: 1, out: '' })
    expect(run.err).toMatch(/^partyline: The data folder \S+ cannot be used: EISDIR/)
    expect(run.err).not.toMatch(/\n\s+at /)
  })

  it('starts a coturn, hands out credentials for it, and leaves none behind', async () => {
    const turnPort = await freePort()
    const args = ['--port', '0', '--host', '127.0.0.1', '--turn-port', String(turnPort), '--turn-host', 'turn.example']
    const run = partyline(...args, '--data-folder', dataFolder())
    const url = await run.printed(/Partyline is ready: (\S+)/)
    const turn = async (): Promise<string> => ((await (await fetch(`${url}/healthz`)).json()) as { turn: string }).turn
    if ((await turn()) === 'unavailable') return
    // The server does not wait for a coturn that takes its time.
    await expect.poll(turn, { timeout: 20_000 }).toBe('running')
    const client = await WireClient.connect(url)
    const { iceServers, peerId, iceExpiresAtMs, timeMs } = await client.join({ room: 'turn' })
    const given = iceServers.find(({ username }) => username !== undefined)
    expect(given?.urls).toContain(`turn:turn.example:${turnPort}?transport=udp`)
    expect(given?.username).toMatch(new RegExp(`^\\d+:${peerId}$`))
    expect(iceExpiresAtMs - timeMs).toBeGreaterThan(3_500_000)
    run.child.kill('SIGTERM')
    expect(await run.ended).toMatchObject({ code: 0 })
    const again = partyline(...args, '--turn', 'local', '--data-folder', dataFolder())
    await again.printed(/Partyline is ready/)
  })
})
