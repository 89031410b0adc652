import type { CellKey, Cells, Change } from './cells.ts'
import { FileLock } from './file-lock.ts'
import { damageOf } from './lmdb-pages.ts'

/** The part of the package `lmdb` that is used. */
interface Database {
  get(key: readonly (string | number)[]): Uint8Array | undefined
  put(key: readonly (string | number)[], value: Uint8Array): Promise<boolean>
  remove(key: readonly (string | number)[]): Promise<boolean>
  getRange(range: {
    readonly start: readonly (string | number)[]
    readonly end: readonly (string | number)[]
  }): Iterable<{ readonly key: unknown; readonly value: Uint8Array }>
  batch(write: () => void): Promise<boolean>
  readonly flushed: PromiseLike<unknown>
  /** A table of the processes and threads that read, dead ones left out. */
  readerList(): string
  close(): Promise<void>
}

/** The package that keeps history in a file is not there, or the file cannot be used. The message says what to do. */
export class HistoryFileError extends Error {
  override readonly name = 'HistoryFileError'
  readonly code = 'bad-history-file'
}

/** Behind every number and every text of ours. */
const LAST = '\uffff'

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What is kept cannot be gone on with, and is not begun anew unless somebody says so. */
export const unusable = (path: string, error: unknown): HistoryFileError =>
  new HistoryFileError(
    `${path} cannot be used: ${because(error)}. Restore it, or move it away: the history then begins anew.`,
    { cause: error },
  )

/** Moved away, it would go on there, unseen. */
const inUse = (path: string, who: string): HistoryFileError =>
  new HistoryFileError(
    `${path} cannot be used: ${who} has it open, and two would write over each other. Stop that one first, or choose another --data-folder.`,
  )

/** Another process that has the file open. Each server keeps in memory how far its logs are, so there can be only one. */
function otherReader(database: Database): string | undefined {
  // Whoever has read stands in the table.
  database.get(['log', 0])
  const pids = [...database.readerList().matchAll(/^\s*(\d+)\s/gm)].map(([, pid]) => pid)
  return pids.find((pid) => pid !== String(process.pid))
}

/** Of a commit that failed, LMDB's own error stands in a promise beside, which has to be looked at, too. */
async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error
  const reason = Promise.resolve(error.commitError).then(
    () => error,
    (why: unknown) => why,
  )
  // It may never say so.
  return await Promise.race([reason, new Promise((resolve) => setImmediate(resolve, error))])
}

/**
 * Rows in an LMDB file. A commit is one transaction, written and flushed by a thread of its own; reading is from mapped
 * memory. A process that dies in the middle leaves the file as it was after the last whole transaction.
 */
export class FileCells implements Cells {
  readonly #database: Database
  readonly #lock: FileLock

  private constructor(database: Database, lock: FileLock) {
    this.#database = database
    this.#lock = lock
  }

  /** Opens or makes the file; its folder must exist. @throws HistoryFileError */
  static async open(path: string): Promise<FileCells> {
    let open: (options: object) => unknown
    try {
      open = (await import('lmdb')).open
    } catch (error) {
      throw new HistoryFileError(
        `the package lmdb, which keeps history in a file, does not load here (${because(error)}): install it, or choose --history-store memory`,
        { cause: error },
      )
    }
    let lock: FileLock | undefined
    try {
      lock = await FileLock.take(`${path}.socket`)
      if (lock === undefined) throw inUse(path, 'another server')
      // LMDB itself takes the process down with a file that is damaged.
      const damage = damageOf(path)
      if (damage !== undefined) throw new Error(damage)
      // Without overlapping, what is committed has been flushed.
      const database = open({
        path,
        encoding: 'binary',
        overlappingSync: false,
        // Else it makes a promise for each turn that nobody can see, and that ends the process when a commit fails.
        eventTurnBatching: false,
        noSubdir: true,
        permissionsMode: 0o600,
      }) as Database
      const other = otherReader(database)
      if (other === undefined) return new FileCells(database, lock)
      await database.close()
      throw inUse(path, `process ${other}`)
    } catch (error) {
      await lock?.release()
      throw error instanceof HistoryFileError ? error : unusable(path, error)
    }
  }

  get(key: CellKey): Uint8Array | undefined {
    return this.#database.get(key as readonly (string | number)[])
  }

  list(table: string, group?: number | string): readonly (readonly [CellKey, Uint8Array])[] {
    const start = group === undefined ? [table] : [table, group]
    const rows = this.#database.getRange({ start, end: [...start, LAST] })
    return [...rows].map(({ key, value }) => [key as CellKey, value] as const)
  }

  async commit(changes: readonly Change[]): Promise<void> {
    let done: boolean
    try {
      done = await this.#batch(changes)
    } catch (error) {
      throw await reasonOf(error)
    }
    if (!done) throw new Error('the transaction was not committed')
    await this.#database.flushed
  }

  async close(): Promise<void> {
    await this.#database.close()
    await this.#lock.release()
  }

  #batch(changes: readonly Change[]): Promise<boolean> {
    return this.#database.batch(() => {
      for (const { key, value } of changes) {
        const at = key as readonly (string | number)[]
        // Each has a promise of its own; the batch's says it all.
        const change = value === undefined ? this.#database.remove(at) : this.#database.put(at, value)
        change.catch(() => undefined)
      }
    })
  }
}
