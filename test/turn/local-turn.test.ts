import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { turnserverConfig } from '../../turn/index.ts'
import { freePort } from '../support/free-port.ts'
import { makeTurn, type RunningTurn, startTurn } from './running-turn.ts'

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const gone = (pid: number) => expect.poll(() => alive(pid), { timeout: 20_000, interval: 20 }).toBe(false)

const pidOf = ({ turn }: RunningTurn): number => {
  if (turn.state.status !== 'running') throw new Error(`coturn is ${turn.state.status}`)
  return turn.state.pid
}

let folder: string
const stops: (() => Promise<unknown>)[] = []
const stopped = (running: RunningTurn): RunningTurn => {
  stops.push(() => running.turn.stop())
  return running
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partyline-test-'))
})
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
  await rm(folder, { recursive: true, force: true })
})

describe('LocalTurn with the real coturn', () => {
  test('runs until it is stopped, and leaves nothing behind', async () => {
    const running = stopped(await startTurn({}, { folder }))
    const pid = pidOf(running)
    expect((await stat(join(folder, 'turnserver.conf'))).mode & 0o777).toBe(0o600)
    await running.turn.stop()
    expect(alive(pid)).toBe(false)
    expect(await readdir(folder)).toEqual([])
    expect(running.states.map(({ status }) => status)).toEqual(['starting', 'running', 'stopping', 'stopped'])
  })

  test('can be started again after it was stopped', async () => {
    const running = stopped(await startTurn())
    await running.turn.stop()
    expect(await running.turn.start()).toMatchObject({ status: 'running' })
    const client = await running.client()
    await client.allocate()
    await client.close()
  })

  test('starts coturn again after a kill -9, later each time', async () => {
    const running = stopped(await startTurn())
    const waits: number[] = []
    for (const _ of [1, 2, 3]) {
      const pid = pidOf(running)
      const waiting = running.until('waiting')
      process.kill(pid, 'SIGKILL')
      const state = await waiting
      if (state.status === 'waiting') waits.push(state.failures)
      expect(await running.until('running')).not.toMatchObject({ pid })
    }
    expect(waits).toEqual([1, 2, 3])
    const delays = running.log.flatMap(({ fields }) => ('delayMs' in fields ? [fields.delayMs] : []))
    expect(delays).toEqual([250, 500, 1_000])
    const client = await running.client()
    await client.allocate()
    await client.close()
  })

  test('stops while it waits for a restart', async () => {
    const running = stopped(await startTurn())
    const waiting = running.until('waiting')
    process.kill(pidOf(running), 'SIGKILL')
    await waiting
    await running.turn.stop()
    expect(running.turn.state).toEqual({ status: 'stopped' })
  })

  test('stops a coturn that does not react to SIGTERM', async () => {
    const running = stopped(await startTurn())
    const pid = pidOf(running)
    process.kill(pid, 'SIGSTOP')
    await running.turn.stop()
    expect(alive(pid)).toBe(false)
  })

  test('several stops and starts at once end in one state', async () => {
    const running = stopped(await makeTurn())
    const all = [running.turn.start(), running.turn.start(), running.turn.stop(), running.turn.stop()]
    await Promise.all(all)
    expect(running.turn.state).toEqual({ status: 'stopped' })
    await Promise.all([running.turn.start(), running.turn.start()])
    expect(running.turn.state.status).toBe('running')
  })

  test.each(['udp', 'tcp'] as const)(
    'notices that its %s port is busy, and starts when it is free',
    async (protocol) => {
      const port = await freePort()
      let release: () => void
      if (protocol === 'udp') {
        const socket = createSocket('udp4').bind(port, '127.0.0.1')
        await once(socket, 'listening')
        release = () => socket.close()
      } else {
        const server = createServer().listen(port, '127.0.0.1')
        await once(server, 'listening')
        release = () => server.close()
      }
      // Without listenAddresses: a port that is held on one address only is busy too.
      const running = stopped(await makeTurn({ port, listenAddresses: [] }))
      const state = await running.turn.start()
      expect(state).toMatchObject({ status: 'unavailable', reason: 'port-busy' })
      expect(state.status === 'unavailable' && state.message).toContain(
        `TURN port ${port} (${protocol.toUpperCase()}) is in use`,
      )
      release()
      expect(await running.turn.start()).toMatchObject({ status: 'running' })
    },
  )

  test('names another turnserver that holds its port', async () => {
    const other = stopped(await startTurn())
    const state = await stopped(await makeTurn({ port: other.port })).turn.start()
    expect(state.status === 'unavailable' && state.message).toMatch(/probably by another turnserver|coturn service/)
  })

  test('says how to install coturn where there is none', async () => {
    const state = await (await makeTurn({}, { executable: 'no-such-turnserver' })).turn.start()
    expect(state).toMatchObject({ status: 'unavailable', reason: 'not-installed' })
    expect(state.status === 'unavailable' && state.message).toMatch(/install/)
  })

  /** Start an owner in a process of its own, and kill that; the pid of its coturn. */
  async function killedOwner(port: number, own: readonly string[], temporaryFolder: string): Promise<number> {
    const script = fileURLToPath(new URL('turn-owner.ts', import.meta.url))
    const owner = spawn(process.execPath, ['--import', 'tsx', script, String(port), ...own], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: temporaryFolder },
    })
    const [line] = await once(owner.stdout, 'data')
    const pid = Number(String(line))
    expect(alive(pid)).toBe(true)
    owner.kill('SIGKILL')
    return pid
  }

  test('coturn dies with its owner, however that dies', async () => {
    const port = await freePort()
    await gone(await killedOwner(port, [folder], tmpdir()))
    // The next owner starts in the same folder, over the files that the killed one left.
    expect(existsSync(join(folder, 'turnserver.pid'))).toBe(true)
    stopped(await startTurn({ port }, { folder }))
  })

  test('a temporary folder, which holds the secrets, goes when its owner is killed', async () => {
    const temporaryFolders = async (): Promise<readonly string[]> =>
      (await readdir(folder)).filter((name) => name.startsWith('partyline-turn-'))
    await gone(await killedOwner(await freePort(), [], folder))
    await expect.poll(temporaryFolders, { timeout: 20_000, interval: 20 }).toEqual([])
  })

  test('ends a coturn that was left by an owner who is gone', async () => {
    const config = join(folder, 'turnserver.conf')
    const port = await freePort()
    const [userDatabase, pidFile] = [join(folder, 'turn.sqlite'), join(folder, 'turnserver.pid')]
    const text = turnserverConfig({ secrets: ['secret-of-the-leftover-test'], port }, { userDatabase, pidFile })
    await writeFile(config, text)
    const leftover = spawn('turnserver', ['-c', config], { stdio: 'ignore' })
    await expect.poll(() => readFile(pidFile, 'utf8').catch(() => ''), { timeout: 20_000 }).toMatch(/^\d+/)
    const exited = once(leftover, 'exit')
    stopped(await startTurn({ port }, { folder }))
    expect(await exited).toEqual([null, 'SIGKILL'])
  })

  test('reports a line that coturn does not understand, and refuses to run without its safety options', async () => {
    // A coturn that forgets what denied-peer-ip means, as a later version might.
    const executable = join(folder, 'turnserver')
    await writeFile(
      executable,
      `#!/bin/sh\nsed -i 's/^denied-peer-ip=10.0.0.0-.*/denied-peer-ipp=x/; s/^no-rfc5780/no-rfc5780x/' "$2"\nexec turnserver "$@"\n`,
    )
    await chmod(executable, 0o755)
    const running = stopped(await makeTurn({}, { executable }))
    expect(await running.turn.start()).toMatchObject({ status: 'unavailable', reason: 'unsafe-configuration' })
    expect(running.log.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { line: 'Bad configuration format: denied-peer-ipp' },
      { line: 'Bad configuration format: no-rfc5780x' },
    ])
  })
})
