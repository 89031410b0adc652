import type { CellKey } from './cells.ts'
import type { Journal } from './journal.ts'

/** Where a record went. */
export interface RecordPlace {
  readonly log: number
  readonly offset: number
}

interface Known {
  last: number
  atMs: number
}

/** As many records of a writer can be answered again; it may have 64 without an answer. */
const ANSWERS_KEPT = 256
/** Some 20 MB. */
const MOST_WRITERS = 100_000
const TABLE = 'writer'
const ANSWERS = 'answer'

const write = (...numbers: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(numbers).buffer)
/** Rows may begin anywhere in memory. */
const read = (bytes: Uint8Array): readonly number[] => [...new Float64Array(bytes.slice().buffer)]

/**
 * Who has had what stored: the highest `n` of each writer, and the places of its newest records, so that what is repeated
 * is known, and answered as before. A writer of whom nothing has come for its life is forgotten.
 */
export class Writers {
  readonly #journal: Journal
  readonly #lifeMs: number
  /** The one that wrote last comes last. */
  readonly #known = new Map<string, Known>()

  constructor(journal: Journal, lifeMs: number) {
    this.#journal = journal
    this.#lifeMs = lifeMs
  }

  get size(): number {
    return this.#known.size
  }

  /** As they are in the cells. */
  load(rows: readonly (readonly [CellKey, Uint8Array])[]): void {
    this.#known.clear()
    const writers = rows.map(([[, key], value]) => {
      const [last = 0, atMs = 0] = read(value)
      return [String(key), { last, atMs }] as const
    })
    writers.sort(([, one], [, other]) => one.atMs - other.atMs)
    for (const [key, known] of writers) this.#known.set(key, known)
  }

  /** As it is in the cells: what was put was lost. */
  restore(key: string, row: Uint8Array | undefined): void {
    this.#known.delete(key)
    const [last = 0, atMs = 0] = row === undefined ? [] : read(row)
    if (row !== undefined) this.#known.set(key, { last, atMs })
  }

  last(key: string): number {
    return this.#known.get(key)?.last ?? 0
  }

  /** Undefined: it was refused, or is one of long ago. */
  place(key: string, n: number): RecordPlace | undefined {
    const row = this.#journal.get([ANSWERS, key, n % ANSWERS_KEPT])
    if (row === undefined) return undefined
    const [of = 0, log = 0, offset = 0] = read(row)
    return of === n ? { log, offset } : undefined
  }

  put(key: string, n: number, { log, offset }: RecordPlace, nowMs: number): void {
    this.#known.delete(key)
    this.#known.set(key, { last: n, atMs: nowMs })
    this.#journal.put([TABLE, key], write(n, nowMs))
    this.#journal.put([ANSWERS, key, n % ANSWERS_KEPT], write(n, log, offset))
    // A sweep comes every few seconds, and more than it takes may come meanwhile.
    if (this.#known.size > MOST_WRITERS) this.sweep(nowMs, 1)
  }

  /** Forget those whose time has come, and the ones of longest ago when there are too many; a few at a time. */
  sweep(nowMs: number, most: number): void {
    let left = most
    for (const [key, { last, atMs }] of this.#known) {
      if (left <= 0 || (nowMs - atMs < this.#lifeMs && this.#known.size <= MOST_WRITERS)) return
      left -= 1
      this.#known.delete(key)
      this.#journal.put([TABLE, key], undefined)
      // With gaps in its numbers it may have used any of the places.
      for (let at = 0; at < Math.min(last + 1, ANSWERS_KEPT); at += 1) {
        if (this.#journal.get([ANSWERS, key, at]) !== undefined) this.#journal.put([ANSWERS, key, at], undefined)
      }
    }
  }
}
