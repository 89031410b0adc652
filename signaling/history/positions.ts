import type { ReadPosition } from '../protocol/history.ts'
import type { Cells } from './cells.ts'
import type { Journal } from './journal.ts'
import { fromRow, toRow } from './rows.ts'

interface Row {
  readonly userId: string
  readonly offset: number
  readonly share: boolean
  readonly atMs: number
}

const TABLE = 'position'
/** So many make place at once, so that a crowd that reads in turn does not have all of them looked at for each. */
const FORGOTTEN_AT_ONCE = 100

/** A user, as a key: any text may be one's id. */
const userKey = (userId: string): string => userId.replace(/[^ -}]/g, (unit) => `~${unit.charCodeAt(0).toString(16)}.`)

/** How far each user has read in each log, and whether others may know. */
export class Positions {
  readonly #journal: Journal
  readonly #cells: Cells

  constructor(journal: Journal, cells: Cells) {
    this.#journal = journal
    this.#cells = cells
  }

  of(log: number, userId: string): number {
    return this.#row(log, userId)?.offset ?? 0
  }

  has(log: number, userId: string): boolean {
    return this.#row(log, userId) !== undefined
  }

  /** Only forward. The position now, or undefined when nothing is another than before. */
  put(log: number, userId: string, offset: number, share: boolean, atMs: number): number | undefined {
    const before = this.#row(log, userId)
    const after = Math.max(offset, before?.offset ?? 0)
    if (before !== undefined && before.offset === after && before.share === share) return undefined
    const row: Row = { userId, offset: after, share, atMs }
    this.#journal.put([TABLE, log, userKey(userId)], toRow(row))
    return after
  }

  /** Those that are shared, and one's own. */
  shown(log: number, userId: string | undefined): { readonly of: readonly ReadPosition[]; readonly looked: number } {
    const rows = this.#rows(log)
    const of = rows.flatMap(([, row]) =>
      row.share || row.userId === userId ? [{ userId: row.userId, offset: row.offset }] : [],
    )
    return { of, looked: rows.length }
  }

  /** Those that have not moved for longest make place for others. Returns how many; those just put cannot be among them. */
  forgetOldest(log: number): number {
    const rows = this.#rows(log).flatMap(([key]) => {
      // As it will be: one that has just moved is not old.
      const row = this.#journal.get(key)
      return row === undefined ? [] : [[key, fromRow<Row>(row)] as const]
    })
    rows.sort(([, one], [, other]) => one.atMs - other.atMs)
    const oldest = rows.slice(0, FORGOTTEN_AT_ONCE)
    for (const [key] of oldest) this.#journal.put(key, undefined)
    return oldest.length
  }

  /** The log is over. */
  forget(log: number): void {
    for (const [key] of this.#rows(log)) this.#journal.put(key, undefined)
  }

  #row(log: number, userId: string): Row | undefined {
    const row = this.#journal.get([TABLE, log, userKey(userId)])
    return row === undefined ? undefined : fromRow<Row>(row)
  }

  #rows(log: number) {
    return this.#cells.list(TABLE, log).map(([key, row]) => [key, fromRow<Row>(row)] as const)
  }
}
