/**
 * What one member has sealed: records under its link's keys, and under the sender keys that came in them. Owns what of it
 * waits for its key, what is refused since it comes a second time or from an ended link, and whether the member has shown
 * that it has the keys it announced.
 */
import type { SealingRefusal } from './announcement.ts'
import { isForGroup, isGreeting, isRepeatable, splitSince } from './framing.ts'
import type { HeldKey } from './held-keys.ts'
import type { Instance } from './instances.ts'
import type { CipherKey } from './primitives.ts'
import { decodeKeyName, type KeyName, openRecord, RECORD, type RecordHead } from './records.ts'
import type { WaitingRecords } from './waiting-records.ts'

const MOST_AGE = 2 ** 31
const SENDER_KEY_BYTES = 32

export interface Opened {
  /** From the sender, in order: none, one, or those that had waited for the key that came. */
  readonly frames: readonly Uint8Array[]
  /** A record to be sent back to the sender. */
  readonly reply?: Uint8Array | undefined
  readonly refused?: SealingRefusal
}

export const NOTHING: Opened = { frames: [] }
export const refused = (code: SealingRefusal): Opened => ({ frames: [], refused: code })

/** What key records are about, at our end of the link. */
export interface KeyNews {
  /** The member says that it holds this key of ours. */
  held(name: KeyName): void
  /** It has given us this key: the record that says that we hold it. */
  given(name: KeyName): Promise<Uint8Array>
}

export class LinkOpener {
  readonly #cipher: CipherKey
  readonly #instance: Instance
  readonly #announcement: Uint8Array
  readonly #waiting: WaitingRecords
  readonly #news: KeyNews
  /** Counters of its records up to this were an ended link's. */
  #floor: number
  /** Something under its link's key has opened: it is not another that shows this announcement. */
  #proven = false

  constructor(cipher: CipherKey, instance: Instance, announcement: Uint8Array, waiting: WaitingRecords, news: KeyNews) {
    this.#cipher = cipher
    this.#instance = instance
    this.#announcement = announcement
    this.#waiting = waiting
    this.#news = news
    this.#floor = instance.newest
  }

  open(record: RecordHead): Promise<Opened> {
    return record.kind === RECORD.group ? this.#openGroup(record) : this.#openLink(record)
  }

  /** The link is over. */
  close(): void {
    this.#waiting.clear()
  }

  async #openLink(record: RecordHead): Promise<Opened> {
    const plain = await openRecord(this.#cipher, record)
    if (plain === undefined) return refused('forged')
    if (record.kind === RECORD.link) {
      if (isForGroup(plain)) return refused('forged')
      const { frame, since } = isGreeting(plain) ? splitSince(plain) : { frame: plain, since: 0 }
      if (since >= record.counter) return refused('forged')
      if (this.#isReplayed(record, !isRepeatable(plain))) return refused('replayed')
      this.#floor = Math.max(this.#floor, since)
      if (this.#proven) return { frames: [frame] }
      this.#proven = true
      return this.#release({ frames: [frame] })
    }
    const name = decodeKeyName(plain, record.kind === RECORD.key ? SENDER_KEY_BYTES : 0)
    if (name === undefined) return refused('forged')
    if (this.#isReplayed(record, true)) return refused('replayed')
    this.#proven = true
    if (record.kind === RECORD.held) {
      this.#news.held(name)
      return this.#release(NOTHING)
    }
    this.#instance.keys.add(name, name.key)
    // When our counter is used up, whatever is sent next ends the room.
    const reply = this.#news.given(name).catch(() => undefined)
    const opened = await this.#release(NOTHING)
    return { ...opened, reply: await reply }
  }

  /** What waited and need not any more, after `first`. */
  async #release(first: Opened): Promise<Opened> {
    const released = this.#waiting.take((record) => this.#instance.keys.find(record) !== undefined)
    const opened = [first, ...(await Promise.all(released.map((record) => this.#openGroup(record))))]
    const refusal = opened.find((one) => one.refused !== undefined)?.refused
    return { frames: opened.flatMap(({ frames }) => frames), ...(refusal && { refused: refusal }) }
  }

  async #openGroup(record: RecordHead): Promise<Opened> {
    const found = this.#proven ? this.#instance.keys.find(record) : undefined
    if (found === undefined) {
      if (record.counter <= this.#floor) return refused('replayed')
      this.#waiting.add(record)
      return NOTHING
    }
    const held: HeldKey = await found
    const plain = await openRecord(await held.cipher, record)
    if (plain === undefined || !isForGroup(plain)) return refused('forged')
    if (this.#isReplayed(record, false)) return refused('replayed')
    this.#instance.keys.keep(held)
    return { frames: [plain] }
  }

  /** Of a record that has opened. `once`: its frame has no number by which streams would know it. */
  #isReplayed({ counter }: RecordHead, once: boolean): boolean {
    const instance = this.#instance
    if (counter <= this.#floor || counter <= instance.newest - MOST_AGE) return true
    if (once && !instance.take(counter)) return true
    if (instance.newest === 0) instance.announcement = this.#announcement
    instance.newest = Math.max(instance.newest, counter)
    return false
  }
}
