import type { ReadPosition } from '../protocol/history.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'
import type { FillRandom } from '../protocol/ids.ts'
import type { Cells } from './cells.ts'
import { decodeEntry, encodeEntry, entryAtMs } from './entry-bytes.ts'
import { type Head, Heads, logOf, type Remains } from './heads.ts'
import { Journal } from './journal.ts'
import { type LogLimits, NewLogs } from './new-logs.ts'
import { Positions } from './positions.ts'
import { fromRow, toRow } from './rows.ts'
import {
  type Appended,
  type HistoryStats,
  type HistoryStore,
  type LogName,
  type NewEntry,
  type Page,
  type PageQuery,
  type StoredEntry,
  StoreError,
  type Writer,
} from './store.ts'
import { Writers } from './writers.ts'

/** How much of a log is kept. */
export interface LogBounds {
  readonly messages: number
  readonly ageMs: number
}

export interface LogStoreParts {
  readonly cells: Cells
  /** ms since 1970. */
  readonly nowMs: () => number
  readonly random: FillRandom
  /** Undefined: nothing (any more). What is there stays, unseen, in case it was a mistake. */
  readonly bounds: (log: LogName) => LogBounds | undefined
  /** Of all entries together. Looked at each time: it may move. */
  readonly mostBytes: number
  /** Asked each time. Default: `LOG_LIMITS`. */
  readonly limits?: () => LogLimits
  /** The cells refused. Told of each commit that failed. */
  readonly failed: (error: unknown) => void
}

/** Longer than a sender repeats a record. */
const WRITER_LIFE_MS = 86_400_000
const MOST_WAITING_BYTES = 67_108_864
const MOST_UNREAD = 1_000
/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 128
/** What a read position costs, at most. */
const POSITION_BYTES = 512
/** A sweep looks at so many logs, takes so many entries off one, and goes no further beyond so many off all. */
const SWEEP_LOGS = 1_000
const SWEEP_ENTRIES = 1_000
const SWEEP_ALL_ENTRIES = 10_000
const SWEEP_WRITERS = 100
const SWEEP_REMAINS = 100

/** Logs over cells: offsets, epochs, bounds, repeats and read positions, the same wherever the rows are kept. */
export class LogStore implements HistoryStore {
  readonly #parts: LogStoreParts
  readonly #journal: Journal
  readonly #writers: Writers
  readonly #positions: Positions
  readonly #heads: Heads
  readonly #newLogs: NewLogs
  #sweeping: IterableIterator<Head> | undefined

  constructor(parts: LogStoreParts) {
    const { cells, nowMs } = parts
    this.#parts = parts
    this.#journal = new Journal({
      cells,
      nowMs,
      failed: (error, lost) => {
        this.#heads.restore(lost)
        for (const { key } of lost) if (key[0] === 'writer') this.#writers.restore(String(key[1]), cells.get(key))
        parts.failed(error)
      },
    })
    this.#heads = new Heads(cells)
    this.#newLogs = new NewLogs({ ...parts, heads: this.#heads, forget: (head) => this.#forget(head) })
    this.#positions = new Positions(this.#journal, cells)
    this.#writers = new Writers(this.#journal, WRITER_LIFE_MS)
    this.#writers.load(cells.list('writer'))
  }

  get stats(): HistoryStats {
    const { waitingBytes, commits, commitMs, failedCommits } = this.#journal
    const { size: logs, entries, bytes } = this.#heads
    return { logs, entries, bytes, waitingBytes, commits, commitSeconds: commitMs / 1_000, failedCommits }
  }

  async append(log: LogName, entry: NewEntry, writer?: Writer): Promise<Appended> {
    const place = writer === undefined ? undefined : this.#repeated(writer)
    if (place !== undefined) {
      await this.#journal.committed()
      return { ...place, repeated: true }
    }
    const nowMs = this.#parts.nowMs()
    const bytes = encodeEntry(entry, nowMs)
    const head = this.#head(log, bytes.length, writer?.account, nowMs)
    const { id, epoch, next: offset } = head
    head.next += 1
    head.lastAtMs = nowMs
    this.#heads.touch(head)
    this.#grow(head, 1, bytes.length + OVERHEAD_BYTES)
    this.#journal.put(['entry', id, offset], bytes)
    if (writer !== undefined) this.#writers.put(writer.key, writer.n, { log: id, offset }, nowMs)
    this.#trim(head, this.#parts.bounds(log), nowMs)
    this.#save(head)
    await this.#journal.committed()
    return { epoch, offset, repeated: false }
  }

  async read(log: LogName, query: PageQuery): Promise<Page> {
    const nothing = { epoch: undefined, first: 1, next: 1, entries: [], more: false, position: 0, unread: 0, looked: 0 }
    const bounds = this.#parts.bounds(log)
    const id = this.#heads.get(log)?.id
    // Of what is there for good, not of what is being written.
    const row = id === undefined ? undefined : this.#parts.cells.get(['log', id])
    if (bounds === undefined || row === undefined) return nothing
    const head = fromRow<Head>(row)
    const { epoch, next } = head
    const first = this.#firstSince(
      this.#parts.nowMs() - bounds.ageMs,
      head,
      Math.max(head.first, next - bounds.messages),
    )
    const { reader } = query
    const position = reader === undefined ? 0 : this.#positions.of(head.id, reader)
    const unreadFrom = Math.max(first, position + 1)
    const counted = reader === undefined ? 0 : Math.max(0, Math.min(next - unreadFrom, MOST_UNREAD))
    const unread = reader === undefined ? 0 : this.#unread(head, unreadFrom, counted, reader)
    const page = this.#page(head, first, query)
    return { epoch, first, next, ...page, position, unread, looked: page.entries.length + counted }
  }

  async setPosition(
    log: LogName,
    userId: string,
    epoch: string,
    offset: number,
    share: boolean,
  ): Promise<number | undefined> {
    const head = this.#heads.get(log)
    if (head === undefined || head.epoch !== epoch || offset >= head.next) return undefined
    if (!this.#positions.has(head.id, userId)) this.#addReader(head)
    const position = this.#positions.put(head.id, userId, offset, share, this.#parts.nowMs())
    if (position !== undefined) await this.#journal.committed()
    return position
  }

  async positions(
    log: LogName,
    userId: string | undefined,
  ): Promise<{ readonly epoch: string | undefined; readonly of: readonly ReadPosition[]; readonly looked: number }> {
    const head = this.#heads.get(log)
    if (head === undefined) return { epoch: undefined, of: [], looked: 0 }
    return { epoch: head.epoch, ...this.#positions.shown(head.id, userId) }
  }

  async clear(log: LogName): Promise<boolean> {
    const head = this.#heads.get(log)
    if (head === undefined) return false
    this.#forget(head)
    await this.#journal.committed()
    return true
  }

  /** Take away what is too old; a bounded part of it, so that it can be called every few seconds. */
  sweep(): void {
    const nowMs = this.#parts.nowMs()
    this.#writers.sweep(nowMs, SWEEP_WRITERS)
    this.#buryRemains()
    this.#sweeping ??= this.#heads.all()
    let taken = 0
    for (let looked = 0; looked < SWEEP_LOGS && taken < SWEEP_ALL_ENTRIES; looked += 1) {
      const { value: head, done } = this.#sweeping.next()
      if (done === true) {
        this.#sweeping = undefined
        return
      }
      const bounds = this.#parts.bounds(logOf(head))
      if (bounds === undefined) continue
      const { first } = head
      this.#trim(head, bounds, nowMs)
      taken += head.first - first
      if (head.first === head.next && nowMs - head.lastAtMs > Math.max(bounds.ageMs, WRITER_LIFE_MS)) this.#forget(head)
      else if (head.first !== first) this.#save(head)
    }
  }

  async close(): Promise<void> {
    await this.#journal.idle()
    await this.#parts.cells.close()
  }

  /** Where a record is that has come before; undefined when it is new. @throws StoreError `forgotten` */
  #repeated({ key, n }: Writer): { readonly epoch: string; readonly offset: number } | undefined {
    if (n > this.#writers.last(key)) return undefined
    const place = this.#writers.place(key, n)
    const row = place === undefined ? undefined : this.#journal.get(['log', place.log])
    if (place === undefined || row === undefined) {
      throw new StoreError('forgotten', 'this record was refused before, or is not kept any more')
    }
    return { epoch: fromRow<Head>(row).epoch, offset: place.offset }
  }

  /** The log, with room for so many bytes more. @throws StoreError `history-full`, `mailboxes-full`, `rate-limited` */
  #head(log: LogName, bytes: number, account: string | undefined, nowMs: number): Head {
    this.#ensureRoom(bytes)
    return this.#heads.get(log) ?? this.#newLogs.begin(log, account, nowMs)
  }

  /** @throws StoreError `history-full` */
  #ensureRoom(bytes: number): void {
    if (this.#journal.waitingBytes > MOST_WAITING_BYTES) throw new StoreError('history-full', 'too much waits')
    if (this.#heads.bytes + bytes > this.#parts.mostBytes)
      throw new StoreError('history-full', 'the server keeps enough')
  }

  /** There will be a position of another user. @throws StoreError `history-full` */
  #addReader(head: Head): void {
    const { readers = 0 } = head
    const gone = readers < HISTORY_LIMITS.positions ? 0 : this.#positions.forgetOldest(head.id)
    if (gone === 0) this.#ensureRoom(POSITION_BYTES)
    head.readers = readers - gone + 1
    this.#grow(head, 0, (1 - gone) * POSITION_BYTES)
    this.#save(head)
  }

  #grow(head: Head, entries: number, bytes: number): void {
    head.bytes += bytes
    this.#heads.bytes += bytes
    this.#heads.entries += entries
  }

  #save(head: Head): void {
    this.#journal.put(['log', head.id], toRow(head))
  }

  /** Take off the front what is too much or too old; the caller saves the head. */
  #trim(head: Head, bounds: LogBounds | undefined, nowMs: number): void {
    if (bounds === undefined) return
    for (let taken = 0; head.first < head.next && taken < SWEEP_ENTRIES; taken += 1) {
      const row = this.#journal.get(['entry', head.id, head.first])
      const tooMany = head.next - head.first > bounds.messages
      if (!tooMany && row !== undefined && entryAtMs(row) >= nowMs - bounds.ageMs) return
      this.#journal.put(['entry', head.id, head.first], undefined)
      head.first += 1
      this.#grow(head, -1, row === undefined ? 0 : -(row.length + OVERHEAD_BYTES))
    }
  }

  /** The log is over. Its entries go away little by little. */
  #forget(head: Head): void {
    this.#heads.drop(head)
    this.#journal.put(['log', head.id], undefined)
    const remains = { first: head.first, next: head.next }
    this.#heads.remains.set(head.id, remains)
    this.#journal.put(['dead', head.id], toRow(remains))
  }

  #buryRemains(): void {
    let [buried, entries] = [0, 0]
    for (const [id, remains] of this.#heads.remains) {
      if (buried >= SWEEP_REMAINS || entries >= SWEEP_ENTRIES) return
      const { first } = remains
      this.#bury(id, remains)
      buried += 1
      entries += remains.first - first
    }
  }

  #bury(id: number, remains: Remains): void {
    for (let taken = 0; remains.first < remains.next && taken < SWEEP_ENTRIES; taken += 1) {
      this.#journal.put(['entry', id, remains.first], undefined)
      remains.first += 1
    }
    if (remains.first < remains.next) {
      this.#journal.put(['dead', id], toRow(remains))
      return
    }
    this.#positions.forget(id)
    this.#journal.put(['dead', id], undefined)
    this.#heads.remains.delete(id)
  }

  /** The first entry from `first` on that is not older than `oldestMs`. They stand in the order of their times. */
  #firstSince(oldestMs: number, { id, next }: Head, first: number): number {
    let [low, high] = [first, next]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = this.#parts.cells.get(['entry', id, middle])
      if (row === undefined || entryAtMs(row) < oldestMs) low = middle + 1
      else high = middle
    }
    return low
  }

  #page(
    { id, epoch, next }: Head,
    first: number,
    { limit, after, before, epoch: asked, mostBytes }: PageQuery,
  ): Pick<Page, 'entries' | 'more'> {
    const same = asked === undefined || asked === epoch
    const forwards = same && after !== undefined
    const end = same && before !== undefined ? Math.min(before, next) : next
    const start = forwards ? Math.max(first, after + 1) : first
    const entries: StoredEntry[] = []
    let bytes = 0
    for (let taken = 0; taken < limit && start + taken < end; taken += 1) {
      const offset = forwards ? start + taken : end - 1 - taken
      const row = this.#parts.cells.get(['entry', id, offset])
      if (row === undefined) break
      bytes += row.length
      if (bytes > mostBytes && entries.length > 0) break
      entries.push(decodeEntry(offset, row))
    }
    if (!forwards) entries.reverse()
    return { entries, more: Math.max(0, end - start) > entries.length }
  }

  #unread({ id }: Head, from: number, most: number, reader: string): number {
    let unread = 0
    for (let offset = from; offset < from + most; offset += 1) {
      const row = this.#parts.cells.get(['entry', id, offset])
      if (row !== undefined && decodeEntry(offset, row).userId !== reader) unread += 1
    }
    return unread
  }
}
