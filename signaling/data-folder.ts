import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The folder where the server keeps what must survive a restart cannot be used. The message says what to do. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
  readonly code = 'bad-data-folder'
}

const KEY_BYTES = 32
/** 64 hex digits. Shorter would be a file that was cut off while it was written. */
const KEY = /^[0-9a-f]{64}$/

/** Files of the server's own: keys (0600), certificates, departures. Made when it is first used. */
export class DataFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = resolve(path)
  }

  /** The path of a file in it, whose folder exists. @throws DataFolderError */
  file(...names: readonly string[]): string {
    const path = join(this.#path, ...names)
    this.guarded(() => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }))
    return path
  }

  /** A secret of 64 hex digits, made the first time it is asked for. @throws DataFolderError */
  secret(name: string): string {
    const path = this.file(name)
    const made = randomBytes(KEY_BYTES).toString('hex')
    const text = this.guarded(() => {
      try {
        // `wx`: of two servers that start at once with one folder, one makes the key and the other reads it.
        writeFileSync(path, `${made}\n`, { mode: 0o600, flag: 'wx' })
        return made
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
        return readFileSync(path, 'utf8').trim()
      }
    })
    if (KEY.test(text)) return text
    throw new DataFolderError(
      `${path} does not hold a key (64 hex digits). Restore it, or delete it to have a new one made.`,
    )
  }

  /** What `act` does with files of it. @throws DataFolderError in the place of whatever it throws */
  guarded<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new DataFolderError(
        `The data folder ${this.#path} cannot be used: ${why}. Choose another with --data-folder, or give this user the right to write there.`,
        { cause: error },
      )
    }
  }
}
