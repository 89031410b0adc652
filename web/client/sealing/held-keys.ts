import type { CipherKey, Primitives } from './primitives.ts'
import type { KeyName } from './records.ts'
import { groupCipher, KEYS_KEPT, type KeyOwner, nextStep, reaches } from './sender-key.ts'

export interface HeldKey extends KeyName {
  readonly key: Uint8Array
  readonly cipher: Promise<CipherKey>
}

const isNamed =
  ({ epoch, step }: KeyName) =>
  (held: KeyName): boolean =>
    held.epoch === epoch && held.step === step

/** The sender keys of one other instance. */
export class HeldKeys {
  #keys: HeldKey[] = []
  /** Derived, but nothing has opened under it yet: whoever made up the step must not push out what is good. */
  #tried: (KeyName & { readonly held: Promise<HeldKey> }) | undefined

  constructor(
    private readonly primitives: Primitives,
    private readonly owner: KeyOwner,
  ) {}

  /** The sender gave this key. */
  add(name: KeyName, key: Uint8Array): void {
    if (!this.#keys.some(isNamed(name))) this.keep(this.#held(name, key))
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
      if (reaches(held, name) && (nearest === undefined || held.step > nearest.step)) nearest = held
    }
    if (nearest === undefined || nearest.step === name.step) return nearest
    if (this.#tried === undefined || !isNamed(name)(this.#tried)) {
      this.#tried = { epoch: name.epoch, step: name.step, held: this.#stepTo(name, nearest) }
    }
    return this.#tried.held
  }

  async #stepTo(name: KeyName, { step, key }: HeldKey): Promise<HeldKey> {
    let stepped = key
    for (let at = step; at < name.step; at += 1) stepped = await nextStep(this.primitives, stepped)
    return this.#held(name, stepped)
  }

  #held({ epoch, step }: KeyName, key: Uint8Array): HeldKey {
    const name = { epoch, step }
    return { ...name, key, cipher: groupCipher(this.primitives, this.owner, name, key) }
  }
}
