import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Namespace } from './namespace.ts'

const STARTING_MS = 60_000

export interface ServiceOptions {
  readonly name: string
  readonly namespace: Namespace
  readonly program: string
  readonly args: readonly string[]
  /** It has started when its output says this. */
  readonly ready: RegExp
}

/** A program that runs in a namespace until it is killed, and may be started again. */
export class Service {
  readonly #options: ServiceOptions
  #process: ChildProcess | undefined
  /** All that it has written, over all its lives. */
  output = ''

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /** Resolves when it says that it is ready. Rejects with its output when it ends before that, or takes too long. */
  async start(): Promise<void> {
    const { name, namespace, program, args, ready } = this.#options
    const started = namespace.spawn(program, args)
    this.#process = started
    const from = this.output.length
    await new Promise<void>((resolve, reject) => {
      const fail = (how: string): void => reject(new Error(`the ${name} ${how}:\n${this.output.slice(from)}`))
      const timer = setTimeout(() => fail(`was not ready within ${STARTING_MS} ms`), STARTING_MS)
      const collect = (chunk: Buffer): void => {
        this.output += chunk.toString()
        if (!ready.test(this.output.slice(from))) return
        clearTimeout(timer)
        resolve()
      }
      started.stdout?.on('data', collect)
      started.stderr?.on('data', collect)
      started.once('error', reject)
      started.once('exit', () => {
        clearTimeout(timer)
        fail('ended before it was ready')
      })
    })
  }

  /** kill -9: nothing is said to anybody. nsenter has become the program: the process is the program's own. */
  async kill(): Promise<void> {
    const ending = this.#process
    this.#process = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const exited = once(ending, 'exit')
    ending.kill('SIGKILL')
    await exited
  }
}
