import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort } from '../../support/free-port.ts'

export const PEERJS_COMMAND = join(dirname(createRequire(import.meta.url).resolve('peer')), 'bin/peerjs.js')
const STARTING_MS = 10_000

/** PeerJS's own server, by its command: its timers would keep this process from ending. */
export class PeerJsServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(host = 'localhost'): Promise<PeerJsServer> {
    const port = await freePort()
    const child = spawn(process.execPath, [PEERJS_COMMAND, '--port', String(port), '--host', host, '--path', '/'], {
      stdio: 'ignore',
    })
    const untilMs = performance.now() + STARTING_MS
    while (child.exitCode === null && performance.now() < untilMs) {
      const answer = await fetch(`http://${host}:${port}/`).catch(() => undefined)
      if (answer?.ok === true) return new PeerJsServer(port, child)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    child.kill()
    throw new Error("PeerJS's server did not start")
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill()
    await exited
  }
}
