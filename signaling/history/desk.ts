import type { Clock } from '../clock.ts'
import type { Right } from '../protocol/access.ts'
import type { ServerMessage } from '../protocol/control.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { Json } from '../protocol/guards.ts'
import type { HistoryEntry, HistoryRequest, KeptInfo } from '../protocol/history.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'
import type { InstanceId, PeerId } from '../protocol/ids.ts'
import { BODY, decodeStoreRecord, type StoreRecord, storeRecordId } from '../protocol/record.ts'
import { Refusal } from '../refusal.ts'
import { type Follower, Notices } from './notices.ts'
import { Outcomes } from './outcomes.ts'
import { type HistoryRule, keepsChannel, ruleFor } from './rules.ts'
import { type HistoryStore, type LogName, type Page, type StoredEntry, StoreError } from './store.ts'
import { accountKey, writerKey } from './writer-key.ts'

/** A member, as far as what is kept is concerned. */
export interface HistoryMember extends Follower {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly joinKey: string
  /** What its address counts as. */
  readonly addressGroup: string
  readonly room: { readonly name: string }
  readonly grant: { readonly rights: ReadonlySet<Right> }
  readonly sealed: boolean
  readonly hidden: boolean
  readonly info: { readonly profile: Json }
  readonly rate: { charge(size: number): void }
}

/** What was stored, for whoever is to be told. */
export interface StoredNotice {
  readonly room: string
  readonly user: string | undefined
  readonly epoch: string
  readonly offset: number
  readonly id: string
  readonly channel: string
  readonly from: PeerId | undefined
  readonly userId: string | undefined
}

export interface DeskParts {
  readonly store: HistoryStore
  readonly rules: readonly HistoryRule[]
  readonly clock: Clock
  /** Largest payload of one envelope. */
  readonly frameBytes: number
  readonly stored: (notice: StoredNotice) => void
  /** A defect, or a disk that refuses. */
  readonly failed: (error: unknown) => void
}

/** What happened to records, since the start. */
export interface HistoryCounts {
  readonly stored: number
  readonly repeated: number
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>
  readonly pages: number
}

/** Length of the text of one answer, more or less: bodies are written in base64. */
const PAGE_CHARS = 262_144
/** A client keeps to `unansweredRecords` and `unansweredBytes`; so many times that is no mistake. */
const PATIENCE = 16
/** Room for the head of the longest record, and for growth. */
const HEAD_BYTES = 512
/** What looking at one row of a file costs (some 25 µs), as if it were sent: asking without end takes a tenth of a core. */
const LOOK_COST_BYTES = 512
/**
 * What a read position that changes costs beside telling of it: a row in a flush, and at most some 500 a second, of which
 * no more waits for who reads nothing for 10 s than may (`controlBacklogBytes`).
 */
const POSITION_COST_BYTES = 8_192

interface UnderWay {
  records: number
  bytes: number
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** As members are told. */
const shown = ({ offset, id, channel, atMs, from, userId, profile, body }: StoredEntry): HistoryEntry => ({
  ...{ offset, id, channel, atMs },
  ...(from === undefined ? {} : { from }),
  ...(userId === undefined ? {} : { userId }),
  ...(profile === undefined || profile === null ? {} : { profile }),
  base64: base64(body),
})

/** What members have kept, and ask for: rights and bounds are looked at here, the store does the rest. */
export class HistoryDesk<M extends HistoryMember> {
  readonly #parts: DeskParts
  readonly #notices: Notices<M>
  readonly #outcomes = new Outcomes<M>()
  readonly #underWay = new WeakMap<M, UnderWay>()
  readonly #refused = new Map<ErrorCode, number>()
  #stored = 0
  #repeated = 0
  #pages = 0

  constructor(parts: DeskParts) {
    this.#parts = parts
    this.#notices = new Notices(parts.clock, ({ user }, { grant }) => user !== undefined || grant.rights.has('history'))
  }

  get counts(): HistoryCounts {
    const refused = Object.fromEntries(this.#refused)
    return { stored: this.#stored, repeated: this.#repeated, refused, pages: this.#pages }
  }

  /** For the welcome. */
  kept(room: string): KeptInfo | undefined {
    const rule = ruleFor(this.#parts.rules, room)
    if (rule === undefined) return undefined
    const { channels, messages, ageMs, mail } = rule
    return { channels, messages, ageMs, bodyBytes: this.#bodyBytes, ...(mail === 0 ? {} : { mail }) }
  }

  /** The payload of an envelope of kind `store`; lent for the call. @throws ProtocolError */
  take(member: M, payload: Uint8Array): void {
    const record = decodeStoreRecord(payload)
    const sealed = record.body[0] === BODY.sealed
    if (!sealed && record.body[0] !== BODY.plain)
      throw new ProtocolError('record.body', 'expected a plain or sealed one')
    if (sealed !== member.sealed) {
      throw new ProtocolError('record.body', `expected a ${member.sealed ? 'sealed' : 'plain'} one in this room`)
    }
    const code = this.#refusal(member, record)
    if (code !== undefined) this.#refuse(member, record.n, code)
    else void this.#store(member, { ...record, body: record.body.slice() })
  }

  /** Answers one request. `answer` may be called later. @throws Refusal */
  async request(member: M, request: HistoryRequest): Promise<ServerMessage> {
    const room = member.room.name
    if (this.kept(room) === undefined) throw new Refusal('not-kept', 'nothing of this room is kept')
    const mail = request.t !== 'positions' && request.mail === true
    const log = { room, user: mail ? member.userId : undefined }
    if (mail && member.userId === undefined) throw denied('a mailbox needs an access token with a sub')
    if (!mail && !member.grant.rights.has('history')) throw denied('the access token does not give the history')
    try {
      if (request.t === 'history') return await this.#page(member, log, request)
      if (request.t === 'read') return await this.#read(member, log, request)
      const { epoch, of, looked } = await this.#parts.store.positions(log, member.userId)
      member.rate.charge(looked * LOOK_COST_BYTES)
      return { t: 'positions', re: request.id, ...(epoch === undefined ? {} : { epoch }), of }
    } catch (error) {
      if (error instanceof StoreError) throw new Refusal(error.code, error.message)
      throw error
    }
  }

  /** The member is gone. */
  left(member: M): void {
    this.#notices.leave(member.room.name, member)
  }

  /** A backend cleared a log. */
  cleared(log: LogName): void {
    this.#notices.cleared(log)
  }

  /** An entry is in a log: those who follow are told, `by` excepted. */
  added(
    log: LogName,
    epoch: string,
    offset: number,
    entry: Omit<StoredNotice, 'room' | 'user' | 'epoch' | 'offset'>,
    by?: M,
  ): void {
    this.#stored += 1
    const { id } = entry
    this.#notices.added(log, epoch, { offset, id, by })
    this.#parts.stored({ ...log, epoch, offset, ...entry })
  }

  stop(): void {
    this.#notices.stop()
  }

  get #bodyBytes(): number {
    return Math.min(HISTORY_LIMITS.storedBytes, this.#parts.frameBytes - HEAD_BYTES)
  }

  #refusal(member: M, { name, user, body }: StoreRecord): ErrorCode | undefined {
    const rule = ruleFor(this.#parts.rules, member.room.name)
    if (rule === undefined || !keepsChannel(rule, name) || (user !== undefined && rule.mail === 0)) return 'not-kept'
    const { rights } = member.grant
    const needed: Right = user === undefined ? 'publish' : 'direct'
    if (member.hidden || !rights.has('store') || !rights.has(needed)) return 'denied'
    if (body.length > this.#bodyBytes) return 'too-large'
    const { records, bytes } = this.#of(member)
    const [mostRecords, mostBytes] = [
      PATIENCE * HISTORY_LIMITS.unansweredRecords,
      PATIENCE * HISTORY_LIMITS.unansweredBytes,
    ]
    return records >= mostRecords || bytes >= mostBytes ? 'rate-limited' : undefined
  }

  #of(member: M): UnderWay {
    const known = this.#underWay.get(member) ?? { records: 0, bytes: 0 }
    this.#underWay.set(member, known)
    return known
  }

  #refuse(member: M, n: number, code: ErrorCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
    this.#outcomes.add(member, { n, code })
  }

  /** Never rejects. */
  async #store(member: M, record: StoreRecord): Promise<void> {
    const { n, name, user, body } = record
    const room = member.room.name
    const log = { room, user }
    const { id: from, userId, instance, joinKey } = member
    const id = storeRecordId(instance, record)
    const underWay = this.#of(member)
    underWay.records += 1
    underWay.bytes += body.length
    try {
      const entry = { id, channel: name, from, userId, profile: member.info.profile ?? undefined, body }
      const { epoch, offset, repeated } = await this.#parts.store.append(log, entry, {
        ...{ key: writerKey(joinKey, room), n, account: accountKey(userId, member.addressGroup) },
      })
      if (repeated) this.#repeated += 1
      else this.added(log, epoch, offset, { id, channel: name, from, userId }, member)
      if (user === undefined) this.#outcomes.add(member, { n, offset }, epoch)
      else this.#outcomes.add(member, { n })
    } catch (error) {
      if (!(error instanceof StoreError)) this.#parts.failed(error)
      this.#refuse(member, n, error instanceof StoreError ? error.code : 'store-failed')
    } finally {
      underWay.records -= 1
      underWay.bytes -= body.length
    }
  }

  async #page(member: M, log: LogName, request: Extract<HistoryRequest, { t: 'history' }>): Promise<ServerMessage> {
    const { id, limit, after, before, epoch, follow = false, mail } = request
    // Before it is read, so that nothing is between: what comes meanwhile may be told twice.
    if (follow) this.#notices.follow(log, member)
    const reader = member.userId
    const query = { limit, after, before, epoch, reader, mostBytes: (PAGE_CHARS * 3) / 4 }
    const page: Page = await this.#parts.store.read(log, query)
    this.#pages += 1
    member.rate.charge(page.looked * LOOK_COST_BYTES)
    return {
      ...{ t: 'history', re: id, first: page.first, next: page.next, more: page.more },
      ...(page.epoch === undefined ? {} : { epoch: page.epoch }),
      entries: page.entries.map(shown),
      ...(reader === undefined ? {} : { position: page.position, unread: page.unread }),
      ...(mail === undefined ? {} : { mail }),
    }
  }

  async #read(member: M, log: LogName, request: Extract<HistoryRequest, { t: 'read' }>): Promise<ServerMessage> {
    const { id, epoch, offset, mail, share = false } = request
    const { userId } = member
    if (userId === undefined) throw denied('a read position needs an access token with a sub')
    const moved = await this.#parts.store.setPosition(log, userId, epoch, offset, share && mail !== true)
    if (moved !== undefined) {
      const position: ServerMessage = {
        t: 'position',
        userId,
        epoch,
        offset: moved,
        ...(mail === true ? { mail } : {}),
      }
      const shared = share && mail !== true
      const told = this.#notices.say(log, position, (one) => one !== member && (shared || one.userId === userId))
      // As of a profile: who changes it pays for all who are told.
      member.rate.charge(POSITION_COST_BYTES + told)
    }
    return { t: 'ok', re: id }
  }
}

const denied = (message: string): Refusal => new Refusal('denied', message)
