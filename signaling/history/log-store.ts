import { decodeText, encodeText } from '../protocol/bytes.ts'
import type { ReadPosition } from '../protocol/history.ts'
import { type FillRandom, randomHex } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Cells, Change } from './cells.ts'
import { decodeEntry, encodeEntry, entryAtMs } from './entry-bytes.ts'
import { Journal } from './journal.ts'
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
  /** Of all entries together. */
  readonly mostBytes: number
  /** The cells refused. Told of each commit that failed. */
  readonly failed: (error: unknown) => void
}

/** A log, as it is or will be: its row, without what is at hand here. */
interface Head {
  readonly id: number
  readonly room: string
  readonly user: string | null
  readonly epoch: string
  first: number
  next: number
  bytes: number
  /** When something was stored last. */
  lastAtMs: number
}

interface ReadRow {
  readonly offset: number
  readonly share: boolean
  readonly atMs: number
}

const EPOCH_BYTES = 8
/** Longer than a sender repeats a record. */
const WRITER_LIFE_MS = 86_400_000
const MOST_LOGS = 100_000
const MOST_WAITING_BYTES = 67_108_864
const MOST_UNREAD = 1_000
/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 128
/** A sweep looks at so many logs, and takes so many entries off one. */
const SWEEP_LOGS = 1_000
const SWEEP_ENTRIES = 1_000
const SWEEP_WRITERS = 100

const nameOf = ({ room, user }: LogName): string => JSON.stringify(user === undefined ? [room] : [room, user])
const toRow = (value: object): Uint8Array => encodeText(JSON.stringify(value))
const fromRow = <T>(row: Uint8Array): T => JSON.parse(decodeText(row)) as T
/** A user, as a key: any text may be one's id. */
const userKey = (userId: string): string => userId.replace(/[^ -}]/g, (unit) => `~${unit.charCodeAt(0).toString(16)}.`)

/** Logs over cells: offsets, epochs, bounds, repeats and read positions, the same wherever the rows are kept. */
export class LogStore implements HistoryStore {
  readonly #parts: LogStoreParts
  readonly #journal: Journal
  readonly #writers: Writers
  readonly #heads = new Map<string, Head>()
  /** Logs that were cleared, and are being taken away. */
  readonly #dead = new Map<number, { first: number; next: number }>()
  #nextId = 1
  #bytes = 0
  #entries = 0
  #sweeping: IterableIterator<[string, Head]> | undefined

  constructor(parts: LogStoreParts) {
    this.#parts = parts
    this.#journal = new Journal({
      cells: parts.cells,
      nowMs: parts.nowMs,
      failed: (error, lost) => {
        this.#restore(lost)
        parts.failed(error)
      },
    })
    this.#writers = new Writers(this.#journal, WRITER_LIFE_MS)
    this.#load()
  }

  get stats(): HistoryStats {
    const { waitingBytes, commits, commitMs, failedCommits } = this.#journal
    return {
      logs: this.#heads.size,
      entries: this.#entries,
      bytes: this.#bytes,
      waitingBytes,
      commits,
      commitSeconds: commitMs / 1_000,
      failedCommits,
    }
  }

  async append(log: LogName, entry: NewEntry, writer?: Writer): Promise<Appended> {
    const place = writer === undefined ? undefined : this.#repeated(writer)
    if (place !== undefined) {
      await this.#journal.committed()
      return { ...place, repeated: true }
    }
    const nowMs = this.#parts.nowMs()
    const bytes = encodeEntry(entry, nowMs)
    const head = this.#head(log, bytes.length)
    const offset = head.next
    head.next += 1
    head.bytes += bytes.length + OVERHEAD_BYTES
    head.lastAtMs = nowMs
    this.#bytes += bytes.length + OVERHEAD_BYTES
    this.#entries += 1
    this.#journal.put(['entry', head.id, offset], bytes)
    if (writer !== undefined) this.#writers.put(writer.key, writer.n, { log: head.id, offset }, nowMs)
    this.#trim(head, this.#parts.bounds(log), nowMs)
    this.#save(head)
    const { epoch } = head
    await this.#journal.committed()
    return { epoch, offset, repeated: false }
  }

  async read(log: LogName, query: PageQuery): Promise<Page> {
    const nothing = { epoch: undefined, first: 1, next: 1, entries: [], more: false, position: 0, unread: 0 }
    const bounds = this.#parts.bounds(log)
    const id = this.#heads.get(nameOf(log))?.id
    // Of what is there for good, not of what is being written.
    const row = id === undefined ? undefined : this.#parts.cells.get(['log', id])
    if (bounds === undefined || row === undefined) return nothing
    const head = fromRow<Head>(row)
    const oldestMs = this.#parts.nowMs() - bounds.ageMs
    const { next } = head
    let first = Math.max(head.first, next - bounds.messages)
    while (first < next && this.#atMs(head.id, first) < oldestMs) first += 1
    const { entries, more } = this.#page(head, first, query)
    const position = query.reader === undefined ? 0 : (this.#position(head.id, query.reader)?.offset ?? 0)
    const unread =
      query.reader === undefined ? 0 : this.#unread(head.id, Math.max(first, position + 1), next, query.reader)
    return { epoch: head.epoch, first, next, entries, more, position, unread }
  }

  async setPosition(
    log: LogName,
    userId: string,
    epoch: string,
    offset: number,
    share: boolean,
  ): Promise<number | undefined> {
    const head = this.#heads.get(nameOf(log))
    if (head === undefined || head.epoch !== epoch || offset >= head.next) return undefined
    const before = this.#position(head.id, userId)
    const after = Math.max(offset, before?.offset ?? 0)
    if (before !== undefined && before.offset === after && before.share === share) return undefined
    if (before === undefined) this.#makeRoomForPosition(head.id)
    const row: ReadRow = { offset: after, share, atMs: this.#parts.nowMs() }
    this.#journal.put(['position', head.id, userKey(userId)], toRow({ ...row, userId }))
    await this.#journal.committed()
    return after
  }

  async positions(
    log: LogName,
    userId: string | undefined,
  ): Promise<{ readonly epoch: string | undefined; readonly of: readonly ReadPosition[] }> {
    const head = this.#heads.get(nameOf(log))
    if (head === undefined) return { epoch: undefined, of: [] }
    const rows = this.#parts.cells.list('position', head.id)
    const known = rows.map(([, row]) => fromRow<ReadRow & { readonly userId: string }>(row))
    const shown = known.filter((one) => one.share || one.userId === userId)
    return { epoch: head.epoch, of: shown.map((one) => ({ userId: one.userId, offset: one.offset })) }
  }

  async clear(log: LogName): Promise<boolean> {
    const head = this.#heads.get(nameOf(log))
    if (head === undefined) return false
    this.#forget(head)
    await this.#journal.committed()
    return true
  }

  /** Take away what is too old; a bounded part of it, so that it can be called every few seconds. */
  sweep(): void {
    const nowMs = this.#parts.nowMs()
    this.#writers.sweep(nowMs, SWEEP_WRITERS)
    for (const [id, range] of this.#dead) {
      this.#bury(id, range)
      break
    }
    this.#sweeping ??= this.#heads.entries()
    for (let looked = 0; looked < SWEEP_LOGS; looked += 1) {
      const { value, done } = this.#sweeping.next()
      if (done === true || value === undefined) {
        this.#sweeping = undefined
        return
      }
      const [, head] = value
      const bounds = this.#parts.bounds(logOf(head))
      if (bounds === undefined) continue
      const { first } = head
      this.#trim(head, bounds, nowMs)
      if (head.first === head.next && nowMs - head.lastAtMs > Math.max(bounds.ageMs, WRITER_LIFE_MS)) this.#forget(head)
      else if (head.first !== first) this.#save(head)
    }
  }

  async close(): Promise<void> {
    await this.#journal.idle()
    await this.#parts.cells.close()
  }

  #load(): void {
    const { cells } = this.#parts
    for (const [, row] of cells.list('log')) {
      const head = fromRow<Head>(row)
      this.#add(head)
      this.#nextId = Math.max(this.#nextId, head.id + 1)
    }
    for (const [[, id], row] of cells.list('dead')) {
      this.#dead.set(Number(id), fromRow(row))
      this.#nextId = Math.max(this.#nextId, Number(id) + 1)
    }
    this.#writers.load(cells.list('writer'))
  }

  /** What was made of these changes is as it was before. */
  #restore(lost: readonly Change[]): void {
    const { cells } = this.#parts
    const committed: Head[] = []
    for (const { key, value } of lost) {
      const [table, group] = key
      const row = cells.get(key)
      if (table === 'writer') this.#writers.restore(String(group), row)
      if (table === 'dead') {
        this.#dead.delete(Number(group))
        if (row !== undefined) this.#dead.set(Number(group), fromRow(row))
      }
      if (table !== 'log') continue
      for (const version of [value, row]) {
        if (version === undefined) continue
        const present = this.#heads.get(nameOf(logOf(fromRow<Head>(version))))
        if (present?.id === group) this.#drop(present)
      }
      if (row !== undefined) committed.push(fromRow<Head>(row))
    }
    for (const head of committed) {
      const present = this.#heads.get(nameOf(logOf(head)))
      if (present !== undefined) this.#drop(present)
      this.#add(head)
    }
  }

  #add(head: Head): void {
    this.#heads.set(nameOf(logOf(head)), head)
    this.#bytes += head.bytes
    this.#entries += head.next - head.first
  }

  #drop(head: Head): void {
    this.#heads.delete(nameOf(logOf(head)))
    this.#bytes -= head.bytes
    this.#entries -= head.next - head.first
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

  /** The log, with room for so many bytes more. @throws StoreError `history-full` */
  #head(log: LogName, bytes: number): Head {
    if (this.#journal.waitingBytes > MOST_WAITING_BYTES) throw new StoreError('history-full', 'too much waits')
    if (this.#bytes + bytes > this.#parts.mostBytes) throw new StoreError('history-full', 'the server keeps enough')
    const name = nameOf(log)
    const known = this.#heads.get(name)
    if (known !== undefined) return known
    if (this.#heads.size >= MOST_LOGS) throw new StoreError('history-full', 'the server keeps enough logs')
    const { room, user = null } = log
    const epoch = randomHex(EPOCH_BYTES, this.#parts.random)
    const head: Head = { id: this.#nextId, room, user, epoch, first: 1, next: 1, bytes: 0, lastAtMs: 0 }
    this.#nextId += 1
    this.#heads.set(name, head)
    return head
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
      this.#entries -= 1
      const bytes = row === undefined ? 0 : row.length + OVERHEAD_BYTES
      head.bytes -= bytes
      this.#bytes -= bytes
    }
  }

  /** The log is over. Its entries go away little by little. */
  #forget(head: Head): void {
    this.#drop(head)
    this.#journal.put(['log', head.id], undefined)
    const range = { first: head.first, next: head.next }
    this.#dead.set(head.id, range)
    this.#journal.put(['dead', head.id], toRow(range))
  }

  #bury(id: number, range: { first: number; next: number }): void {
    for (let taken = 0; range.first < range.next && taken < SWEEP_ENTRIES; taken += 1) {
      this.#journal.put(['entry', id, range.first], undefined)
      range.first += 1
    }
    if (range.first < range.next) {
      this.#journal.put(['dead', id], toRow(range))
      return
    }
    for (const [key] of this.#parts.cells.list('position', id)) this.#journal.put(key, undefined)
    this.#journal.put(['dead', id], undefined)
    this.#dead.delete(id)
  }

  #atMs(id: number, offset: number): number {
    const row = this.#parts.cells.get(['entry', id, offset])
    return row === undefined ? 0 : entryAtMs(row)
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

  #position(id: number, userId: string): ReadRow | undefined {
    const row = this.#journal.get(['position', id, userKey(userId)])
    return row === undefined ? undefined : fromRow<ReadRow>(row)
  }

  #unread(id: number, from: number, next: number, reader: string): number {
    let unread = 0
    for (let offset = from; offset < next && offset < from + MOST_UNREAD; offset += 1) {
      const row = this.#parts.cells.get(['entry', id, offset])
      if (row !== undefined && decodeEntry(offset, row).userId !== reader) unread += 1
    }
    return unread
  }

  #makeRoomForPosition(id: number): void {
    const rows = this.#parts.cells.list('position', id)
    if (rows.length < LIMITS.positions) return
    let oldest = rows[0]
    for (const row of rows) if (oldest === undefined || posAtMs(row[1]) < posAtMs(oldest[1])) oldest = row
    if (oldest !== undefined) this.#journal.put(oldest[0], undefined)
  }
}

const logOf = ({ room, user }: Head): LogName => ({ room, user: user ?? undefined })
const posAtMs = (row: Uint8Array): number => fromRow<ReadRow>(row).atMs
