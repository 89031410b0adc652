/** What keeps logs. One process holds them in memory or in a file; several could share them behind this. */
import type { ErrorCode } from '../protocol/errors.ts'
import type { Json } from '../protocol/guards.ts'
import type { ReadPosition } from '../protocol/history.ts'
import type { PeerId } from '../protocol/ids.ts'

/** A room's log, or the mailbox of a user in it. */
export interface LogName {
  readonly room: string
  readonly user: string | undefined
}

export interface NewEntry {
  /** Of the message, the same as of its live copies. */
  readonly id: string
  readonly channel: string
  /** Undefined: a backend. */
  readonly from: PeerId | undefined
  readonly userId: string | undefined
  readonly profile: Json | undefined
  readonly body: Uint8Array
}

export interface StoredEntry extends NewEntry {
  readonly offset: number
  /** ms since 1970. */
  readonly atMs: number
}

/** Whose record it is, and which: each is taken once. */
export interface Writer {
  /** Nobody but the writer can make it. */
  readonly key: string
  /** From 1; what is not beyond the highest is a repeat. */
  readonly n: number
  /** Whose share of new logs is taken when this one is the first of its log. Absent: nobody's. */
  readonly account?: string
}

export interface Appended {
  readonly epoch: string
  readonly offset: number
  /** It was in the log before. */
  readonly repeated: boolean
}

export interface PageQuery {
  readonly limit: number
  /** The first beyond this, or the last before that; neither: the last. */
  readonly after?: number | undefined
  readonly before?: number | undefined
  /** Of those two; when it is not the log's, they are ignored. */
  readonly epoch?: string | undefined
  /** So much of bodies at most, but one entry always. */
  readonly mostBytes: number
  /** Whose unread entries are counted. */
  readonly reader?: string | undefined
}

export interface Page {
  /** Undefined: nothing was stored yet. */
  readonly epoch: string | undefined
  readonly first: number
  readonly next: number
  readonly entries: readonly StoredEntry[]
  readonly more: boolean
  /** Of the reader. */
  readonly position: number
  readonly unread: number
  /** Entries that were read for it. */
  readonly looked: number
}

export interface HistoryStats {
  readonly logs: number
  readonly entries: number
  readonly bytes: number
  /** Bytes waiting to be written. */
  readonly waitingBytes: number
  /** Flushes so far, and the seconds they took together. */
  readonly commits: number
  readonly commitSeconds: number
  readonly failedCommits: number
}

/** Why something was not stored. */
export class StoreError extends Error {
  override readonly name = 'StoreError'

  constructor(
    readonly code: Extract<
      ErrorCode,
      'history-full' | 'mailboxes-full' | 'rate-limited' | 'store-failed' | 'forgotten'
    >,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export interface HistoryStore {
  /**
   * Put an entry at the end of a log. Resolves when it would survive a crash; what a writer repeats resolves to the same
   * as before. @throws StoreError, and then it is not in the log
   */
  append(log: LogName, entry: NewEntry, writer?: Writer): Promise<Appended>
  /** What resolved `append`s have put there. @throws StoreError */
  read(log: LogName, query: PageQuery): Promise<Page>
  /** A user has read so far. Resolves, once that is kept, to the position, or to undefined when nothing is another than before. @throws StoreError */
  setPosition(log: LogName, userId: string, epoch: string, offset: number, share: boolean): Promise<number | undefined>
  /** Those that are shared, and `userId`'s own. */
  positions(
    log: LogName,
    userId: string | undefined,
  ): Promise<{ readonly epoch: string | undefined; readonly of: readonly ReadPosition[]; readonly looked: number }>
  /** Forget everything in a log; the next entry begins another epoch. Whether there was one. @throws StoreError */
  clear(log: LogName): Promise<boolean>
  readonly stats: HistoryStats
  /** What was handed over is written. */
  close(): Promise<void>
}
