import { Cell, type Watchable } from '../../ui/cell.ts'
import { recall, remember } from '../../ui/remembered.ts'
import type { Member } from '../model/member.ts'

export interface VerifiedMembersDependencies {
  readonly recall: () => string | undefined
  readonly remember: (value: string | undefined) => void
}

/** The identities take 65 bytes each. */
const MOST_KEPT = 1_000
const IDENTITY = /^[0-9a-f]{64}$/u

export const keptInThisBrowser: VerifiedMembersDependencies = Object.freeze({
  recall: () => recall('verified'),
  remember: (value: string | undefined) => remember('verified', value),
})

/**
 * Whose safety number this person has compared. Identities are kept in this browser; of who has none the number itself is,
 * for this visit: the id of a member is the server's to give, and it could give it to another one.
 */
export class VerifiedMembers {
  readonly #kept: VerifiedMembersDependencies
  readonly #identities: Cell<ReadonlySet<string>>
  readonly #numbers = new Set<string>()

  constructor(kept: VerifiedMembersDependencies) {
    this.#kept = kept
    this.#identities = new Cell<ReadonlySet<string>>(this.#read())
  }

  /** Changes with every change. */
  get changes(): Watchable<unknown> {
    return this.#identities
  }

  /** Whether numbers of some without an identity were compared. */
  get hasNumbers(): boolean {
    return this.#numbers.size > 0
  }

  /** `number`: that of the member, as it is now. */
  has({ identity }: Pick<Member, 'identity'>, number: string | undefined): boolean {
    if (identity !== undefined) return this.#identities.value.has(identity)
    return number !== undefined && this.#numbers.has(number)
  }

  /** `number`: the one that was compared. */
  set({ identity }: Pick<Member, 'identity'>, number: string, verified: boolean): void {
    // Another tab may have kept some meanwhile.
    const identities = this.#read()
    const one = identity === undefined ? this.#numbers : identities
    one.delete(identity ?? number)
    if (verified) one.add(identity ?? number)
    this.#identities.value = identities
    if (identity === undefined) return
    const kept = [...identities].slice(-MOST_KEPT)
    this.#kept.remember(kept.length === 0 ? undefined : kept.join(' '))
  }

  #read(): Set<string> {
    return new Set((this.#kept.recall() ?? '').split(' ').filter((identity) => IDENTITY.test(identity)))
  }
}
