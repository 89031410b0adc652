import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

const TOP = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const COMMAND_LINE = join(TOP, 'dist/signaling/cli.js')
/** Limits for what never comes. */
const STARTING_MS = 45_000
const STOPPING_MS = 30_000

export interface ServerOptions {
  /** Added to the command line after `--port`. */
  readonly args?: readonly string[]
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Where the server keeps its key; default a new folder, removed by `dispose`. */
  readonly dataFolder?: string
  /** Default: a free one. */
  readonly port?: number
}

/**
 * The real, built server as a process of its own. Killed and started again it has the same port and data folder, so
 * that sessions live on.
 */
export class ServerProcess {
  readonly port: number
  readonly #options: ServerOptions
  readonly #dataFolder: string
  #process: ChildProcess | undefined
  #output = ''

  private constructor(port: number, dataFolder: string, options: ServerOptions) {
    this.port = port
    this.#dataFolder = dataFolder
    this.#options = options
  }

  /** Starts a server and resolves when it answers. Rejects with its output when it ends before that. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'partyline-data-')))
    const server = new ServerProcess(options.port ?? (await freePort()), dataFolder, options)
    await server.start()
    return server
  }

  /** Ends with a slash; pages lie below it. `localhost`, which browsers take for a secure place. */
  get address(): string {
    return `http://localhost:${this.port}/`
  }

  /** All that the server has written so far, over all its lives. */
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  /** Starts it again after `kill` or `stop`. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error('the server is running')
    const { args = [], environment = {} } = this.#options
    const started = spawn(
      process.execPath,
      [COMMAND_LINE, '--port', String(this.port), '--data-folder', this.#dataFolder, ...args],
      { cwd: TOP, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    this.#process = started
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString()
    }
    started.stdout.on('data', collect)
    started.stderr.on('data', collect)
    started.once('exit', () => {
      if (this.#process === started) this.#process = undefined
    })
    await this.#answers(started)
  }

  /** kill -9: nothing is said to anybody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in good order and resolves with its exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** Ends it and removes the data folder that was made for it. */
  async dispose(): Promise<void> {
    await this.kill()
    if (this.#options.dataFolder === undefined) await rm(this.#dataFolder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const ending = this.#process
    if (ending === undefined) return null
    const exited = once(ending, 'exit')
    ending.kill(signal)
    const tooLong = setTimeout(() => ending.kill('SIGKILL'), STOPPING_MS)
    const [code]: (number | null)[] = await exited
    clearTimeout(tooLong)
    return code ?? null
  }

  async #answers(started: ChildProcess): Promise<void> {
    const untilMs = performance.now() + STARTING_MS
    while (performance.now() < untilMs) {
      if (started.exitCode !== null || started.signalCode !== null) {
        throw new Error(`the server ended before it answered:\n${this.#output}`)
      }
      const answer = await fetch(`${this.address}healthz`).catch(() => undefined)
      if (answer?.ok === true) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await this.kill()
    throw new Error(`the server did not answer within ${STARTING_MS} ms:\n${this.#output}`)
  }
}
