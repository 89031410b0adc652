import type { CellKey, Cells, Change } from './cells.ts'
import { fromRow } from './rows.ts'
import type { LogName } from './store.ts'

/** A log, as it is or will be: its row. */
export interface Head {
  readonly id: number
  readonly room: string
  readonly user: string | null
  /** Of a mailbox: the account that began it. Absent: a backend's, or the log of a room. */
  readonly by?: string
  readonly epoch: string
  first: number
  next: number
  bytes: number
  /** Users whose read positions are kept. Absent: none. */
  readers?: number
  /** When something was stored last. */
  lastAtMs: number
}

/** Entries of a log that is over, which are still to be taken away. */
export interface Remains {
  first: number
  next: number
}

/** The row of the next log's id. None is used twice: what became of records of a log that is gone is remembered by it. */
export const NEXT_ID: CellKey = ['next', 0]

export const logOf = ({ room, user }: Head): LogName => ({ room, user: user ?? undefined })
const beginner = (room: string, by: string): string => JSON.stringify([room, by])
const nameOf = ({ room, user }: LogName): string => JSON.stringify(user === undefined ? [room] : [room, user])

/** All logs that there are, with what they come to together; all in memory, for a log costs little. */
export class Heads {
  readonly #cells: Cells
  readonly #heads = new Map<string, Head>()
  /** Of each room, the one that took something last at the end. */
  readonly #mailboxes = new Map<string, Set<Head>>()
  /** How many of a room's mailboxes an account has begun. */
  readonly #begun = new Map<string, number>()
  readonly remains = new Map<number, Remains>()
  #nextId = 1
  bytes = 0
  entries = 0
  mailboxes = 0

  constructor(cells: Cells) {
    this.#cells = cells
    const next = cells.get(NEXT_ID)
    if (next !== undefined) this.#nextId = fromRow<{ readonly id: number }>(next).id
    const heads = cells.list('log').map(([, row]) => fromRow<Head>(row))
    heads.sort((one, other) => one.lastAtMs - other.lastAtMs)
    for (const head of heads) this.add(head)
    for (const [[, id], row] of cells.list('dead')) {
      this.remains.set(Number(id), fromRow(row))
      this.#nextId = Math.max(this.#nextId, Number(id) + 1)
    }
  }

  get size(): number {
    return this.#heads.size
  }

  get(log: LogName): Head | undefined {
    return this.#heads.get(nameOf(log))
  }

  /** One by one; others may come and go meanwhile. */
  all(): IterableIterator<Head> {
    return this.#heads.values()
  }

  mailboxesOf(room: string): number {
    return this.#mailboxes.get(room)?.size ?? 0
  }

  /** How many of those this account has begun. */
  begunIn(room: string, by: string): number {
    return this.#begun.get(beginner(room, by)) ?? 0
  }

  /** Into which nothing has come since then, for longest; `by`: of those that this account has begun. */
  restingMailbox(room: string, sinceMs: number, by?: string): Head | undefined {
    for (const head of this.#mailboxes.get(room) ?? []) {
      // What a failed commit gave back stands at the end, however old: all are looked at.
      if (head.lastAtMs < sinceMs && (by === undefined || head.by === by)) return head
    }
    return undefined
  }

  /** Something has come into it. */
  touch(head: Head): void {
    const beside = head.user === null ? undefined : this.#mailboxes.get(head.room)
    if (beside?.delete(head) === true) beside.add(head)
  }

  takeId(): number {
    this.#nextId += 1
    return this.#nextId - 1
  }

  add(head: Head): void {
    this.#heads.set(nameOf(logOf(head)), head)
    this.bytes += head.bytes
    this.entries += head.next - head.first
    if (head.user !== null) {
      this.mailboxes += 1
      this.#mailboxes.set(head.room, (this.#mailboxes.get(head.room) ?? new Set()).add(head))
      this.#count(head, 1)
    }
    this.#nextId = Math.max(this.#nextId, head.id + 1)
  }

  drop(head: Head): void {
    this.#heads.delete(nameOf(logOf(head)))
    this.bytes -= head.bytes
    this.entries -= head.next - head.first
    const beside = head.user === null ? undefined : this.#mailboxes.get(head.room)
    if (beside?.delete(head) !== true) return
    this.mailboxes -= 1
    this.#count(head, -1)
    if (beside.size === 0) this.#mailboxes.delete(head.room)
  }

  #count({ room, by }: Head, more: 1 | -1): void {
    if (by === undefined) return
    const key = beginner(room, by)
    const begun = (this.#begun.get(key) ?? 0) + more
    if (begun === 0) this.#begun.delete(key)
    else this.#begun.set(key, begun)
  }

  /** These changes were not written: what they were about is as it was before. */
  restore(lost: readonly Change[]): void {
    const committed: Head[] = []
    for (const { key, value } of lost) {
      const [table, group] = key
      const row = this.#cells.get(key)
      if (table === 'dead') {
        this.remains.delete(Number(group))
        if (row !== undefined) this.remains.set(Number(group), fromRow(row))
      }
      if (table !== 'log') continue
      for (const version of [value, row]) {
        const present = version && this.get(logOf(fromRow<Head>(version)))
        if (present?.id === group) this.drop(present)
      }
      if (row !== undefined) committed.push(fromRow<Head>(row))
    }
    for (const head of committed) {
      // Another one of the same name, which is not written either, or the same twice.
      const present = this.get(logOf(head))
      if (present !== undefined) this.drop(present)
      this.add(head)
    }
  }
}
