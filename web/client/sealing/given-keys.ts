import type { OwnSenderKey } from './own-sender-keys.ts'
import type { KeyName } from './records.ts'
import { KEYS_KEPT, OLD_EPOCH_MS, reaches } from './sender-key.ts'

/** First repeat of a key that is not yet held; doubles. */
const REPEAT_MS = 300
const REPEAT_MOST_MS = 5_000

interface Given {
  readonly key: OwnSenderKey
  held: boolean
  sentAtMs: number
  waitMs: number
}

/** Which of our sender keys one member was given, and which of them it has said to hold. */
export class GivenKeys {
  #given: Given[] = []

  constructor(
    /** The index of the first key that the member may be given. */
    readonly since: number,
    /** The newest epoch of which it was ever given a key, on whichever link: a new link takes nothing back. */
    public epoch = 0,
  ) {}

  /** The key that is to go along with a record under `key`. */
  missing(key: OwnSenderKey, nowMs: number): OwnSenderKey | undefined {
    const given = this.#given.filter((one) => reaches(one.key, key))
    const newer = this.#given.find((one) => one.key.epoch > key.epoch)
    // It gives up the keys of an epoch some time after the next.
    const lasts = ({ sentAtMs }: Given): boolean =>
      newer === undefined || nowMs < Math.max(sentAtMs, newer.sentAtMs) + OLD_EPOCH_MS / 2
    if (given.some((one) => one.held && lasts(one))) return undefined
    const [last] = given.slice(-1)
    if (last === undefined) {
      if (this.#given.length === KEYS_KEPT) this.#given.shift()
      this.#given.push({ key, held: false, sentAtMs: nowMs, waitMs: REPEAT_MS })
      this.epoch = Math.max(this.epoch, key.epoch)
      return key
    }
    if (nowMs - last.sentAtMs < REPEAT_MS) return undefined
    last.sentAtMs = nowMs
    last.held = false
    return last.key
  }

  /** The member says that it holds this key. */
  held({ epoch, step }: KeyName): void {
    for (const given of this.#given) if (given.key.epoch === epoch && given.key.step === step) given.held = true
  }

  /** When the next repeat is due; `Infinity` when everything is held. */
  get dueAtMs(): number {
    return this.#given.reduce(
      (least, { held, sentAtMs, waitMs }) => (held ? least : Math.min(least, sentAtMs + waitMs)),
      Number.POSITIVE_INFINITY,
    )
  }

  /** The keys to be repeated now. */
  takeDue(nowMs: number): OwnSenderKey[] {
    const due = this.#given.filter(({ held, sentAtMs, waitMs }) => !held && sentAtMs + waitMs <= nowMs)
    for (const given of due) {
      given.sentAtMs = nowMs
      given.waitMs = Math.min(REPEAT_MOST_MS, 2 * given.waitMs)
    }
    return due.map(({ key }) => key)
  }
}
