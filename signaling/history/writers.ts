import type { CellKey } from './cells.ts'
import type { Journal } from './journal.ts'

/** Where a record went. */
export interface RecordPlace {
  readonly log: number
  readonly offset: number
}

interface Known {
  readonly last: number
  readonly atMs: number
  /** Rows of its places. */
  readonly rows: number
}

/** As many records of a writer can be answered again; it may have 64 without an answer. */
const ANSWERS_KEPT = 256
/** Places stand together: in memory each row takes some 400 bytes beside its own. */
const PLACES_IN_ROW = 16
const ROWS_KEPT = ANSWERS_KEPT / PLACES_IN_ROW
/** Some 20 MB, their places not counted. */
const MOST_WRITERS = 100_000
/** Rows of places, of all together: some 250 MB. */
const MOST_ROWS = 400_000
const TABLE = 'writer'
const PLACES = 'places'
/** `u32 n · u32 log · f64 offset`. */
const PLACE_BYTES = 16

const write = (...numbers: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(numbers).buffer)
/** Rows may begin anywhere in memory. */
const read = (bytes: Uint8Array): readonly number[] => [...new Float64Array(new Uint8Array(bytes).buffer)]
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const rowKey = (key: string, n: number): CellKey => [PLACES, key, Math.floor((n % ANSWERS_KEPT) / PLACES_IN_ROW)]
const inRow = (n: number): number => (n % PLACES_IN_ROW) * PLACE_BYTES

/** Of a writer as it is in the cells; with gaps in its numbers it may have other rows, and fewer. */
function knownFrom(row: Uint8Array): Known {
  const [last = 0, atMs = 0] = read(row)
  return { last, atMs, rows: Math.min(ROWS_KEPT, Math.ceil(last / PLACES_IN_ROW)) }
}

/**
 * Who has had what stored: the highest `n` of each writer, and the places of its newest records, so that what is repeated
 * is known, and answered as before. A writer of whom nothing has come for its life is forgotten.
 */
export class Writers {
  readonly #journal: Journal
  readonly #lifeMs: number
  /** The one that wrote last comes last. */
  readonly #known = new Map<string, Known>()
  #rows = 0

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
    this.#rows = 0
    const writers = rows.map(([[, key], row]) => [String(key), knownFrom(row)] as const)
    writers.sort(([, one], [, other]) => one.atMs - other.atMs)
    for (const [key, known] of writers) this.#know(key, known)
  }

  /** As it is in the cells: what was put was lost. */
  restore(key: string, row: Uint8Array | undefined): void {
    this.#forget(key)
    if (row !== undefined) this.#know(key, knownFrom(row))
  }

  last(key: string): number {
    return this.#known.get(key)?.last ?? 0
  }

  /** Undefined: it was refused, or is one of long ago. */
  place(key: string, n: number): RecordPlace | undefined {
    const row = this.#journal.get(rowKey(key, n))
    if (row === undefined) return undefined
    const [view, at] = [viewOf(row), inRow(n)]
    return view.getUint32(at) === n ? { log: view.getUint32(at + 4), offset: view.getFloat64(at + 8) } : undefined
  }

  put(key: string, n: number, { log, offset }: RecordPlace, nowMs: number): void {
    const before = this.#journal.get(rowKey(key, n))
    // After a start they are estimated, from above.
    const rows = Math.min(ROWS_KEPT, (this.#known.get(key)?.rows ?? 0) + (before === undefined ? 1 : 0))
    this.#forget(key)
    this.#know(key, { last: n, atMs: nowMs, rows })
    this.#journal.put([TABLE, key], write(n, nowMs))
    // Another one: what is on its way to a file must not change.
    const row = before === undefined ? new Uint8Array(PLACES_IN_ROW * PLACE_BYTES) : new Uint8Array(before)
    const [view, at] = [viewOf(row), inRow(n)]
    view.setUint32(at, n)
    view.setUint32(at + 4, log)
    view.setFloat64(at + 8, offset)
    this.#journal.put(rowKey(key, n), row)
    // A sweep comes every few seconds, and more than it takes may come meanwhile.
    if (this.#tooMany) this.sweep(nowMs, 1)
  }

  /** Forget those whose time has come, and the ones of longest ago when there are too many; a few at a time. */
  sweep(nowMs: number, most: number): void {
    let left = most
    for (const [key, { atMs }] of this.#known) {
      if (left <= 0 || (nowMs - atMs < this.#lifeMs && !this.#tooMany)) return
      left -= 1
      this.#forget(key)
      this.#journal.put([TABLE, key], undefined)
      // With gaps in its numbers it may have used any of the rows.
      for (let row = 0; row < ROWS_KEPT; row += 1) {
        if (this.#journal.get([PLACES, key, row]) !== undefined) this.#journal.put([PLACES, key, row], undefined)
      }
    }
  }

  get #tooMany(): boolean {
    return this.#known.size > MOST_WRITERS || this.#rows > MOST_ROWS
  }

  #know(key: string, known: Known): void {
    this.#known.set(key, known)
    this.#rows += known.rows
  }

  #forget(key: string): void {
    this.#rows -= this.#known.get(key)?.rows ?? 0
    this.#known.delete(key)
  }
}
