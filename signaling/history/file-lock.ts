import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'

/** Behind a name that nobody listens on any more, the first try; and once more beside somebody who starts just now. */
const TRIES = 3

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => {
      server.unref()
      resolve(server)
    })
  })
}

/** Somebody listens there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answered: boolean) => (): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', settle(true))
    socket.once('error', settle(false))
  })
}

/**
 * A name on which this process listens for as long as it lives, however it ends. Process ids do not tell servers in
 * different containers apart, where each is number 1; this does, as long as they share a machine.
 */
export class FileLock {
  readonly #server: Server | undefined

  private constructor(server: Server | undefined) {
    this.#server = server
  }

  /** Undefined: somebody has it. Where there are no such names (some shared folders), everybody does. */
  static async take(path: string): Promise<FileLock | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        return new FileLock(await listen(path))
      } catch (error) {
        if (codeOf(error) !== 'EADDRINUSE') return new FileLock(undefined)
        if (await answers(path)) return undefined
        rmSync(path, { force: true })
      }
    }
    return undefined
  }

  /** The name goes away. */
  release(): Promise<void> {
    const server = this.#server
    return server === undefined ? Promise.resolve() : new Promise((resolve) => server.close(() => resolve()))
  }
}
