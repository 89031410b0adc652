import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HonestReport } from './honest-room.ts'
import { asked } from './hostile-server.ts'

const ROOM = fileURLToPath(new URL('honest-room.ts', import.meta.url))

/** The honest members, who talk until they are ended. */
export class HonestProcess {
  readonly #child: ChildProcess
  readonly #output: () => string

  private constructor(child: ChildProcess, output: () => string) {
    this.#child = child
    this.#output = output
  }

  /** They enter the room `honest`. */
  static async start(url: string, access = ''): Promise<HonestProcess> {
    const child = fork(ROOM, [url, access], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    await asked(child, 'started', () => output)
    return new HonestProcess(child, () => output)
  }

  /** Of all since the last, when everything that was under way has come. */
  report(): Promise<HonestReport> {
    const answer = asked<HonestReport>(this.#child, 'report', this.#output)
    this.#child.send('report')
    return answer
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await exited
  }
}
