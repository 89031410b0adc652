import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'

/** Behind a name that nobody listens on any more, the first try; and once more beside somebody who starts just now. */
const TRIES = 3
/**
 * Bytes of the longest name that a socket can have everywhere (macOS; Linux takes 107). Node cuts a longer one off
 * without a word: another folder may then have the same one, and nobody finds what a killed server leaves there.
 */
const MOST_NAME_BYTES = 103
/** What is there is no one's any more, or gone. Whatever else goes wrong, somebody may have it. */
const NOBODY: readonly unknown[] = ['ECONNREFUSED', 'ENOENT']

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
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!NOBODY.includes(codeOf(error))))
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

  /**
   * Undefined: somebody has it. Where there are no such names (some shared folders, long paths), everybody does.
   * @throws Error of the file system, when what a killed server left cannot be taken away
   */
  static async take(path: string): Promise<FileLock | undefined> {
    if (Buffer.byteLength(path) > MOST_NAME_BYTES) return new FileLock(undefined)
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
