import type { FillRandom } from '../../../signaling/protocol/index.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import type { KeyName } from './records.ts'
import { groupCipher, type KeyOwner, MOST_RECORDS, MOST_STEP, nextStep } from './sender-key.ts'

export interface OwnSenderKey extends KeyName {
  /** Counts all keys of this instance, over epochs. */
  readonly index: number
  readonly bytes: Promise<Uint8Array>
  readonly cipher: Promise<CipherKey>
  records: number
}

/** Which key this instance seals its next new record to the room under. Nothing changes until there is one. */
export class OwnSenderKeys {
  #current: OwnSenderKey | undefined
  /** The first, which nobody has been given yet. */
  #first: OwnSenderKey | undefined
  #due: 'nothing' | 'step' | 'epoch' = 'nothing'

  constructor(
    private readonly primitives: Primitives,
    private readonly owner: KeyOwner,
    private readonly fillRandom: FillRandom,
  ) {}

  /** Makes the first key before it is needed: the first message need not wait for that. */
  prepare(): void {
    this.#first = this.#begin(1)
  }

  /** A member came. The index of the first key that it may be given. */
  came(): number {
    const current = this.#current
    if (current === undefined) return 0
    if (this.#due === 'nothing') this.#due = 'step'
    return current.index + 1
  }

  /** A member left, which had been given keys of this epoch and before. */
  left(epoch: number): void {
    if (this.#current?.epoch === epoch) this.#due = 'epoch'
  }

  /** For one new record. */
  next(): OwnSenderKey {
    const key = this.#next(this.#current)
    this.#current = key
    this.#due = 'nothing'
    key.records += 1
    return key
  }

  #next(before: OwnSenderKey | undefined): OwnSenderKey {
    if (before === undefined) return this.#first ?? this.#begin(1)
    const isFull = before.records >= MOST_RECORDS
    const isStep = this.#due === 'step' && !isFull
    if (this.#due === 'epoch' || isFull || (isStep && before.step === MOST_STEP)) return this.#begin(before.epoch + 1)
    if (!isStep) return before
    const bytes = before.bytes.then((key) => nextStep(this.primitives, key))
    return this.#key(before.epoch, before.step + 1, bytes)
  }

  #begin(epoch: number): OwnSenderKey {
    const random = new Uint8Array(32)
    this.fillRandom(random)
    return this.#key(epoch, 0, Promise.resolve(random))
  }

  #key(epoch: number, step: number, bytes: Promise<Uint8Array>): OwnSenderKey {
    const name = { epoch, step }
    return {
      ...name,
      index: (this.#current?.index ?? -1) + 1,
      bytes,
      cipher: bytes.then((key) => groupCipher(this.primitives, this.owner, name, key)),
      records: 0,
    }
  }
}
