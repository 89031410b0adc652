import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HubStats } from '../../../signaling/hub.ts'
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'
import type { Question } from './served.ts'

export interface Memory {
  readonly rssBytes: number
  /** What is in use of it after a collection: the heap, and what hangs on it. */
  readonly heldBytes: number
}

/** How a process has fared with the machine so far. */
export interface Share {
  /** It had a processor. */
  readonly ranMs: number
  /** It was ready, and others had them all. */
  readonly waitedMs: number
}

const SERVED = fileURLToPath(new URL('served.ts', import.meta.url))
const LAST_WORDS = 20_000

/** A server that is a process of its own, so that its end and its memory can be seen. */
export class HostileServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #output: () => string
  #ended: string | undefined

  private constructor(child: ChildProcess, port: number, folder: string, output: () => string) {
    this.#child = child
    this.port = port
    this.#folder = folder
    this.#output = output
    child.once('exit', (code, signal) => {
      this.#ended = `${signal ?? code}`
    })
  }

  static async start(engine: 'uws' | 'ws', options: ServerOptionsInput = {}): Promise<HostileServer> {
    const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-hostile-'))
    const child = fork(SERVED, [JSON.stringify({ engine, dataFolder, ...options })], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    // Many may ask at once.
    child.setMaxListeners(1_000)
    let output = ''
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-LAST_WORDS)
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    const { port } = await asked<{ port: number }>(child, 'started', () => output)
    return new HostileServer(child, port, dataFolder, () => output)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** How the process ended; undefined while it runs, which it should. */
  get ended(): string | undefined {
    return this.#ended
  }

  /** What it wrote: errors only, so nothing while all is well. */
  get output(): string {
    return this.#output()
  }

  /** Of its process, without a collection, which would keep everybody waiting. */
  async rssBytes(): Promise<number> {
    return (await this.#ask<{ rssBytes: number }>('size')).rssBytes
  }

  memory(): Promise<Memory> {
    return this.#ask<Memory>('memory')
  }

  stats(): Promise<HubStats> {
    return this.#ask<HubStats>('stats')
  }

  /** All 0 where the kernel does not say. */
  async share(): Promise<Share> {
    const said = await readFile(`/proc/${this.#child.pid}/schedstat`, 'utf8').catch(() => '')
    const [ranNs = 0, waitedNs = 0] = said.split(' ').map(Number)
    return { ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6 }
  }

  /** Its process stands still, as one does that is too busy, until `goOn`. */
  stall(): void {
    this.#child.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child.kill('SIGCONT')
  }

  async close(): Promise<void> {
    if (this.#ended === undefined) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve))
      this.#child.send('close')
      const late = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(late)
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  #ask<T>(question: Question): Promise<T> {
    if (this.#ended !== undefined) throw new Error(`the server ended (${this.#ended}): ${this.output}`)
    const answer = asked<T>(this.#child, question, this.#output)
    this.#child.send(question)
    return answer
  }
}

/** The next answer to a question of a child; rejects when the child ends before. */
export function asked<T>(child: ChildProcess, wanted: string, output: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      child.off('message', look)
      child.off('exit', gone)
    }
    const look = (message: { readonly question: string; readonly answer: T }): void => {
      if (message.question !== wanted) return
      done()
      resolve(message.answer)
    }
    const gone = (code: number | null, signal: string | null): void => {
      done()
      reject(new Error(`ended with ${signal ?? code} before it said "${wanted}": ${output()}`))
    }
    child.on('message', look)
    child.once('exit', gone)
  })
}
