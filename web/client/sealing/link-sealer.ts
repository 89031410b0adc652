/**
 * What is sealed under the keys of one link: frames to that member alone, and what is told it of sender keys. Owns since
 * when the link is, and which record each frame went in; which sender key is to be told is the `GroupSealer`'s matter.
 */
import type { PeerId } from '../../../signaling/protocol/index.ts'
import { isGreeting, isRepeatable, withSince } from './framing.ts'
import type { OwnSenderKey } from './own-sender-keys.ts'
import type { CipherKey } from './primitives.ts'
import type { RecordCounter } from './record-counter.ts'
import { encodeKeyName, type KeyName, RECORD, type RecordKind, sealRecord } from './records.ts'

export interface SealedRecord {
  /** `undefined`: whom the frame was to go to. */
  readonly to: PeerId | undefined
  readonly payload: Uint8Array
}
/** To be sent in this order. None when no receiver is admitted. */
export type Sealed = readonly SealedRecord[]

export class LinkSealer {
  readonly #cipher: CipherKey
  readonly #counter: RecordCounter
  /** Our counter when the link began. */
  #since: number
  /** By frame: as long as whoever sends it again keeps it. */
  #records = new WeakMap<Uint8Array, Uint8Array | Promise<Uint8Array>>()

  constructor(
    readonly to: PeerId,
    cipher: CipherKey,
    counter: RecordCounter,
  ) {
    this.#cipher = cipher
    this.#counter = counter
    this.#since = counter.last
  }

  /** The link has begun again: what has been sealed before does not go to it again. */
  beginAgain(): void {
    this.#since = this.#counter.last
    this.#records = new WeakMap()
  }

  /** At once where the frame was sealed before. Rejects with a RangeError when the counter is used up. */
  seal(frame: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const before = this.#records.get(frame)
    if (before !== undefined) return before
    const record = this.#record(RECORD.link, isGreeting(frame) ? withSince(frame, this.#since) : frame)
    if (isRepeatable(frame)) {
      const records = this.#records
      records.set(frame, record)
      record.then(
        (sealed) => records.set(frame, sealed),
        () => records.delete(frame),
      )
    }
    return record
  }

  /** Gives it a sender key of ours. Rejects as `seal`. */
  async key(key: OwnSenderKey): Promise<Uint8Array> {
    return this.#record(RECORD.key, encodeKeyName(key, await key.bytes))
  }

  /** Says that we hold this sender key of its. Rejects as `seal`. */
  held(name: KeyName): Promise<Uint8Array> {
    return this.#record(RECORD.held, encodeKeyName(name))
  }

  async #record(kind: RecordKind, plain: Uint8Array): Promise<Uint8Array> {
    return sealRecord(this.#cipher, kind, this.#counter.next(), plain)
  }
}

/** A frame for each of these members, or about the link to it. At once where it was sealed for all of them before. */
export function sealToEach(links: readonly LinkSealer[], frame: Uint8Array): Sealed | Promise<Sealed> {
  const records: SealedRecord[] = []
  const late: Promise<SealedRecord>[] = []
  for (const link of links) {
    const { to } = link
    const payload = link.seal(frame)
    if (payload instanceof Uint8Array) records.push({ to, payload })
    else late.push(payload.then((sealed) => ({ to, payload: sealed })))
  }
  return late.length === 0 ? records : Promise.all(late).then((sealed) => [...records, ...sealed])
}
