import type { Clock } from '../clock.ts'
import { encodeText } from '../protocol/bytes.ts'
import { CONTENT } from '../protocol/frame.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'
import { type FillRandom, randomHex } from '../protocol/ids.ts'
import { encodePlainBody } from '../protocol/record.ts'
import { Refusal } from '../refusal.ts'
import type { PublishedContent, PublishedPlace } from '../rooms/directory.ts'
import { type HistoryRule, keepsChannel, ruleFor } from './rules.ts'
import { type HistoryStore, type LogName, type Page, type PageQuery, StoreError } from './store.ts'

export interface BackendHistoryParts {
  readonly store: HistoryStore
  readonly rules: readonly HistoryRule[]
  readonly clock: Clock
  readonly random: FillRandom
  /** An entry is in a log: those who follow are to be told. */
  readonly added: (log: LogName, epoch: string, offset: number, entry: { id: string; channel: string }) => void
  readonly cleared: (log: LogName) => void
}

const ID_BYTES = 8

/** What backends see of what is kept, and put there. Every method @throws Refusal */
export class BackendHistory {
  readonly #parts: BackendHistoryParts

  constructor(parts: BackendHistoryParts) {
    this.#parts = parts
  }

  /** Resolves when it would survive a crash: it can be given to those who are there then. */
  publish(log: LogName, channel: string, { data, base64 }: PublishedContent): Promise<PublishedPlace> {
    return this.#guarded(async () => {
      if (!keepsChannel(this.#rule(log), channel)) throw new Refusal('not-kept', 'this channel is not kept')
      const { store, clock, random, added } = this.#parts
      const sentAtMs = clock.nowMs()
      const id = randomHex(ID_BYTES, random)
      const body = encodePlainBody({
        ...{ content: base64 === undefined ? CONTENT.json : CONTENT.binary, sentAtMs },
        data: base64 === undefined ? encodeText(JSON.stringify(data)) : Buffer.from(base64, 'base64'),
      })
      if (body.length > HISTORY_LIMITS.storedBytes)
        throw new Refusal('too-large', `expected less than ${HISTORY_LIMITS.storedBytes} bytes`)
      const nobody = { from: undefined, userId: undefined, profile: undefined }
      const { epoch, offset } = await store.append(log, { id, channel, ...nobody, body })
      added(log, epoch, offset, { id, channel })
      return { id, sentAtMs, epoch, offset }
    })
  }

  read(log: LogName, query: PageQuery): Promise<Page> {
    return this.#guarded(() => {
      this.#rule(log)
      return this.#parts.store.read(log, query)
    })
  }

  /** Whether there was anything. */
  clear(log: LogName): Promise<boolean> {
    return this.#guarded(async () => {
      this.#rule(log)
      const cleared = await this.#parts.store.clear(log)
      if (cleared) this.#parts.cleared(log)
      return cleared
    })
  }

  #rule({ room, user }: LogName): HistoryRule {
    const rule = ruleFor(this.#parts.rules, room)
    if (rule === undefined) throw new Refusal('not-kept', 'nothing of this room is kept')
    if (user !== undefined && rule.mail === 0) throw new Refusal('not-kept', 'there are no mailboxes in this room')
    return rule
  }

  async #guarded<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw error instanceof StoreError ? new Refusal(error.code, error.message) : error
    }
  }
}
