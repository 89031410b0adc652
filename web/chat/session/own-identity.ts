import { Cell, type Watchable } from '../../ui/cell.ts'
import { canKeepIdentity, forgetIdentity, keepIdentity, keptIdentity } from '../../ui/kept-identity.ts'

/** The identity of this browser, which the next visit takes. */
export class OwnIdentity {
  readonly isPossible = canKeepIdentity()
  readonly #pair: Cell<CryptoKeyPair | undefined>

  private constructor(pair: CryptoKeyPair | undefined) {
    this.#pair = new Cell(pair)
  }

  /** Never rejects: without an identity one can talk too. */
  static async load(): Promise<OwnIdentity> {
    return new OwnIdentity(await keptIdentity().catch(() => undefined))
  }

  get pair(): Watchable<CryptoKeyPair | undefined> {
    return this.#pair
  }

  /** Rejects when the browser refuses. */
  async keep(): Promise<void> {
    this.#pair.value = await keepIdentity()
  }

  forget(): void {
    this.#pair.value = undefined
    forgetIdentity()
  }
}
