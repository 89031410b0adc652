import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../../../signaling/setup/command.mjs'
import { freePort } from '../../support/free-port.ts'
import type { RelayName } from './contestants.ts'
import type { CrowdOptions, Load, LoadOptions, Stretch } from './crowd.ts'
import type { DropsOptions, DropsResult } from './drops.ts'
import type { Order } from './load-process.ts'

const SERVE = fileURLToPath(new URL('serve.ts', import.meta.url))
const LOAD = fileURLToPath(new URL('load-process.ts', import.meta.url))
const STARTING_MS = 30_000

/** With as many open files as this user may have. */
async function start(script: string, args: readonly string[], flags: readonly string[]): Promise<ChildProcess> {
  const command = `ulimit -n "$(ulimit -Hn)"; exec "$@"`
  const child = spawn('sh', ['-c', command, 'sh', process.execPath, ...flags, '--import', 'tsx', script, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${script} ${args.join(' ')} ended`)))
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`${script} did not start`)), STARTING_MS).unref()
  })
  await Promise.race([once(child, 'message'), ended, late])
  ended.catch(() => undefined)
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** One contestant's server, in a process of its own. */
export class RelayServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly dataFolder: string,
  ) {}

  static async start(relay: RelayName | 'socket.io with recovery'): Promise<RelayServer> {
    const server = relay.startsWith('ours by ') ? 'ours' : relay
    const port = await freePort()
    const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-bench-'))
    return new RelayServer(port, await start(SERVE, [server, String(port), dataFolder], ['--expose-gc']), dataFolder)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Resident, after its garbage has been collected. */
  async memoryBytes(): Promise<number> {
    const answered = once(this.child, 'message')
    this.child.send('memory')
    const [bytes] = (await answered) as [number]
    return bytes
  }

  async close(): Promise<void> {
    await end(this.child)
    await rm(this.dataFolder, { recursive: true, force: true })
  }
}

type Opened = Stretch & { readonly retries: number }

/** The process that makes the load. */
export class Generator {
  #last = 0
  private constructor(private readonly child: ChildProcess) {}

  static async start(): Promise<Generator> {
    return new Generator(await start(LOAD, [], []))
  }

  gather(crowd: string, options: CrowdOptions, atATime = 64): Promise<Opened> {
    return this.#ask({ do: 'gather', crowd, options, atATime })
  }

  load(crowd: string, options: LoadOptions): Promise<Load> {
    return this.#ask({ do: 'load', crowd, options })
  }

  storm(crowd: string): Promise<Opened> {
    return this.#ask({ do: 'storm', crowd })
  }

  leave(crowd: string): Promise<void> {
    return this.#ask({ do: 'leave', crowd })
  }

  drops(options: DropsOptions): Promise<DropsResult> {
    return this.#ask({ do: 'drops', options })
  }

  close(): Promise<void> {
    return end(this.child)
  }

  #ask<T>(order: Order): Promise<T> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the load generator ended'))
      const heard = (message: unknown): void => {
        const answer = message as { id: number; value?: T; error?: string }
        if (answer.id !== id) return
        this.child.off('message', heard).off('exit', ended)
        if (answer.error === undefined) resolve(answer.value as T)
        else reject(new Error(answer.error))
      }
      this.child.on('message', heard).once('exit', ended)
      this.child.send({ id, order })
    })
  }
}
