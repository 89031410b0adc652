import type { Clock } from '../clock.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import type { KeyName } from './records.ts'
import { groupCipher, KEYS_KEPT, type KeyOwner, nextStep, OLD_EPOCH_MS, reaches } from './sender-key.ts'

export interface HeldKey extends KeyName {
  readonly key: Uint8Array
  readonly cipher: Promise<CipherKey>
  /** It, or the one that it is a step of. */
  givenAtMs: number
}

const isNamed =
  ({ epoch, step }: KeyName) =>
  (held: KeyName): boolean =>
    held.epoch === epoch && held.step === step

/** The sender keys of one other instance. */
export class HeldKeys {
  #keys: HeldKey[] = []
  /** The newest epoch that was given, and since when. */
  #epoch = 0
  #epochAtMs = 0
  /** Derived, but nothing has opened under it yet: whoever made up the step must not push out what is good. */
  #tried: (KeyName & { readonly held: Promise<HeldKey> }) | undefined

  constructor(
    private readonly primitives: Primitives,
    private readonly owner: KeyOwner,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** The sender gave this key. The first of its name counts. */
  add(name: KeyName, key: Uint8Array): void {
    const nowMs = this.clock.now()
    if (name.epoch > this.#epoch) {
      this.#epoch = name.epoch
      this.#epochAtMs = nowMs
    }
    const known = this.#keys.find(isNamed(name))
    if (known === undefined) this.keep(this.#held(name, key, nowMs))
    else known.givenAtMs = nowMs
  }

  /** A record has opened under this key. */
  keep(held: HeldKey): void {
    if (this.#keys.some(isNamed(held))) return
    if (this.#keys.length === KEYS_KEPT) this.#keys.shift()
    this.#keys.push(held)
  }

  /** The key of this name, stepped to from the nearest before it; `undefined`, at once, when there is none. */
  find(name: KeyName): HeldKey | Promise<HeldKey> | undefined {
    let nearest: HeldKey | undefined
    for (const held of this.#keys) {
      if (this.#isGood(held) && reaches(held, name) && (nearest === undefined || held.step > nearest.step))
        nearest = held
    }
    if (nearest === undefined || nearest.step === name.step) return nearest
    if (this.#tried === undefined || !isNamed(name)(this.#tried)) {
      this.#tried = { epoch: name.epoch, step: name.step, held: this.#stepTo(name, nearest) }
    }
    return this.#tried.held
  }

  #isGood({ epoch, givenAtMs }: HeldKey): boolean {
    return epoch >= this.#epoch || this.clock.now() < Math.max(givenAtMs, this.#epochAtMs) + OLD_EPOCH_MS
  }

  async #stepTo(name: KeyName, { step, key, givenAtMs }: HeldKey): Promise<HeldKey> {
    let stepped = key
    for (let at = step; at < name.step; at += 1) stepped = await nextStep(this.primitives, stepped)
    return this.#held(name, stepped, givenAtMs)
  }

  #held({ epoch, step }: KeyName, key: Uint8Array, givenAtMs: number): HeldKey {
    const name = { epoch, step }
    return { ...name, key, cipher: groupCipher(this.primitives, this.owner, name, key), givenAtMs }
  }
}
