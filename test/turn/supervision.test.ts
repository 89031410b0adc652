import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CoturnProcess, LocalTurn, type LocalTurnDependencies, type LocalTurnState } from '../../turn/index.ts'
import { installCommand } from '../../turn/local/executable.ts'
import { CoturnLog } from '../../turn/local/log.ts'
import { findTurnservers, portMessage } from '../../turn/local/port-check.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Let everything that waits on a promise, not on the clock, go as far as it can. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function fakeTurn(overrides: Partial<LocalTurnDependencies> = {}) {
  const clock = new FakeClock()
  const states: LocalTurnState[] = []
  const processes: { die(how?: string): void; signals: string[] }[] = []
  const answers = { now: true }
  const launch = (): CoturnProcess => {
    let die: (how: string) => void = () => {}
    const exited = new Promise<string>((resolve) => {
      die = resolve
    })
    const signals: string[] = []
    processes.push({ die: (how = 'ended by SIGKILL') => die(how), signals })
    const end = (signal: string): void => {
      signals.push(signal)
      die(`ended by ${signal}`)
    }
    return {
      pid: 1_000 + processes.length,
      exited,
      complaints: () => [],
      kill: () => end('SIGKILL'),
      stop: async () => end('SIGTERM'),
    }
  }
  const turn = new LocalTurn(
    {
      options: { secrets: ['secret-of-16-chars'] },
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      onState: (state) => states.push(state),
    },
    {
      clock,
      findExecutable: async () => '/usr/bin/turnserver',
      checkPorts: async () => ({ status: 'free' }),
      makeRunFolder: async () => ({ configFile: 'turnserver.conf', temporary: undefined, remove: async () => {} }),
      launch,
      answersStun: async () => answers.now,
      acceptsCredentials: async () => answers.now,
      ...overrides,
    },
  )
  return { turn, clock, states, processes, answers }
}

describe('a LocalTurn', () => {
  test('waits twice as long after each failure, at most 30 s', async () => {
    const { turn, clock, processes } = fakeTurn()
    await turn.start()
    const delays: number[] = []
    for (let round = 0; round < 10; round++) {
      processes.at(-1)?.die()
      await settle()
      if (turn.state.status === 'waiting') delays.push(turn.state.retryAtMs - clock.nowMs())
      clock.advance(delays.at(-1) ?? 0)
      await settle()
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    await turn.stop()
  })

  test('begins with the short delay again after a minute in good health', async () => {
    const { turn, clock, processes } = fakeTurn()
    await turn.start()
    for (let round = 0; round < 4; round++) {
      processes.at(-1)?.die()
      await settle()
      clock.advance(30_000)
      await settle()
    }
    for (let passed = 0; passed < 60_000; passed += 10_000) {
      clock.advance(10_000)
      await settle()
    }
    processes.at(-1)?.die()
    await settle()
    expect(turn.state).toMatchObject({ status: 'waiting', failures: 1 })
    await turn.stop()
  })

  test('kills a coturn that misses three checks in a row, not one that misses two', async () => {
    const { turn, clock, processes, answers } = fakeTurn()
    await turn.start()
    const check = async (answered: boolean): Promise<void> => {
      answers.now = answered
      clock.advance(10_000)
      await settle()
    }
    for (const answered of [false, false, true, false, false]) await check(answered)
    expect(turn.state.status).toBe('running')
    await check(false)
    expect(processes[0]?.signals).toContain('SIGKILL')
    expect(turn.state).toMatchObject({ status: 'waiting', reason: 'coturn did not answer, ended by SIGKILL' })
    await turn.stop()
  })

  test('says that it waits when coturn does not come up, and stops that coturn', async () => {
    const { turn, processes } = fakeTurn({ answersStun: async () => false })
    expect(await turn.start()).toMatchObject({ status: 'waiting', failures: 1 })
    expect(processes[0]?.signals).toContain('SIGTERM')
    await turn.stop()
  })

  test('says that it waits when coturn answers and accepts no credentials', async () => {
    const { turn } = fakeTurn({ acceptsCredentials: async () => false })
    expect(await turn.start()).toMatchObject({ status: 'waiting', failures: 1 })
    await turn.stop()
  })

  test('goes on trying when the folder cannot be written', async () => {
    const { turn } = fakeTurn({ makeRunFolder: () => Promise.reject(new Error('no space left')) })
    expect(await turn.start()).toMatchObject({ status: 'waiting', reason: 'no space left' })
    await turn.stop()
  })

  test('gives a busy port a second to get free', async () => {
    let checks = 0
    const busyFor = (times: number) =>
      fakeTurn({
        checkPorts: async () =>
          ++checks > times ? { status: 'free' } : { status: 'busy', port: 3478, protocol: 'udp' },
      })
    const startAfter = async ({ turn, clock }: ReturnType<typeof fakeTurn>): Promise<LocalTurnState> => {
      checks = 0
      const started = turn.start()
      for (let waits = 0; waits < 4; waits++) {
        await settle()
        clock.advance(250)
      }
      return started
    }
    const shortly = busyFor(3)
    expect(await startAfter(shortly)).toMatchObject({ status: 'running' })
    await shortly.turn.stop()
    expect(await startAfter(busyFor(100))).toMatchObject({ status: 'unavailable', reason: 'port-busy' })
  })

  test('leaves no timer behind when it is stopped', async () => {
    const { turn, clock, processes } = fakeTurn()
    await turn.start()
    await turn.stop()
    expect(processes[0]?.signals).toContain('SIGTERM')
    expect(clock.pending()).toBe(0)
    expect(turn.state).toEqual({ status: 'stopped' })
  })
})

describe('the log of coturn', () => {
  const collect = () => {
    const entries: [level: string, fields: object, message: string][] = []
    const entry = (level: string) => (fields: object, message: string) => void entries.push([level, fields, message])
    const clock = new FakeClock()
    const logger = { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error') }
    return { entries, clock, log: new CoturnLog(logger, () => clock.nowMs()) }
  }

  test('is cut into lines, stripped of times, and sorted', () => {
    const { entries, log } = collect()
    log.write('2026-01-01T00:00:00+0000: Listener addr')
    log.write(
      'ess to use: 127.0.0.1\n0: : Bad configuration format: x\n0: : Bad configuration format: x\n\n0: : ERROR: no',
    )
    log.end()
    expect(entries).toEqual([
      ['debug', { line: 'Listener address to use: 127.0.0.1' }, 'coturn'],
      ['error', { line: 'Bad configuration format: x' }, 'coturn does not understand a line of its configuration'],
      ['info', { line: 'ERROR: no' }, 'coturn'],
    ])
  })

  test('is bounded: 200 lines in 10 s, and the rest is counted', () => {
    const { entries, clock, log } = collect()
    log.write('line\n'.repeat(1_000))
    expect(entries).toHaveLength(200)
    clock.advance(10_000)
    log.write('line\n')
    expect(entries.slice(200)).toEqual([
      ['warn', { lines: 800 }, 'coturn wrote too much: lines were left out'],
      ['debug', { line: 'line' }, 'coturn'],
    ])
  })

  test('does not grow with a line that never ends', () => {
    const { entries, log } = collect()
    for (let piece = 0; piece < 100; piece++) log.write('x'.repeat(10_000))
    log.end()
    expect(entries).toEqual([['debug', { line: 'x'.repeat(500) }, 'coturn']])
  })
})

describe('what the operator is told', () => {
  test.each([
    ['ID=debian\n', 'sudo apt install coturn && sudo systemctl disable --now coturn'],
    [
      'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
      'sudo apt install coturn && sudo systemctl disable --now coturn',
    ],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'sudo dnf install coturn'],
    ['ID=alpine\n', 'sudo apk add coturn'],
    ['ID=plan9\n', undefined],
  ])('of %j: %s', (osRelease, command) => {
    expect(installCommand('linux', osRelease)).toBe(command)
  })

  test('names the service of the distribution when it holds the port', async () => {
    const proc = await mkdtemp(join(tmpdir(), 'partyline-proc-'))
    const add = async (pid: number, comm: string, commandLine: string, cgroup: string): Promise<void> => {
      await mkdir(join(proc, String(pid)))
      await writeFile(join(proc, String(pid), 'comm'), `${comm}\n`)
      await writeFile(join(proc, String(pid), 'cmdline'), commandLine)
      await writeFile(join(proc, String(pid), 'cgroup'), cgroup)
    }
    await add(7, 'nginx', 'nginx', '0::/system.slice/nginx.service')
    await add(42, 'turnserver', '/usr/bin/turnserver\0-c\0/etc/turnserver.conf\0', '0::/system.slice/coturn.service')
    const others = await findTurnservers(proc)
    await rm(proc, { recursive: true })
    expect(others).toEqual([{ pid: 42, service: true }])
    expect(portMessage({ status: 'busy', port: 3478, protocol: 'udp' }, others)).toBe(
      'TURN port 3478 (UDP) is in use by the coturn service of the distribution (process 42); stop it with: ' +
        'sudo systemctl disable --now coturn, or choose another TURN port',
    )
  })

  test('says how to find out who holds the port otherwise', () => {
    expect(portMessage({ status: 'busy', port: 3478, protocol: 'tcp' }, [], 'linux')).toContain(
      "ss -lntup 'sport = :3478'",
    )
    expect(portMessage({ status: 'forbidden', port: 443 }, [])).toContain('needs a privilege')
  })
})
