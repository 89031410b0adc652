import type { PeerId } from 'partyline'
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
 * Whose safety number this person has compared. Identities are kept in this browser; of who has none it counts for this
 * visit, as the number does.
 */
export class VerifiedMembers {
  readonly #kept: VerifiedMembersDependencies
  readonly #identities: Cell<ReadonlySet<string>>
  readonly #visits = new Set<PeerId>()

  constructor(kept: VerifiedMembersDependencies) {
    this.#kept = kept
    this.#identities = new Cell<ReadonlySet<string>>(this.#read())
  }

  /** Changes with every change. */
  get changes(): Watchable<unknown> {
    return this.#identities
  }

  has({ id, identity }: Pick<Member, 'id' | 'identity'>): boolean {
    return identity === undefined ? this.#visits.has(id) : this.#identities.value.has(identity)
  }

  set({ id, identity }: Pick<Member, 'id' | 'identity'>, verified: boolean): void {
    // Another tab may have kept some meanwhile.
    const identities = this.#read()
    const one: Set<string> = identity === undefined ? this.#visits : identities
    one.delete(identity ?? id)
    if (verified) one.add(identity ?? id)
    this.#identities.value = identities
    if (identity === undefined) return
    const kept = [...identities].slice(-MOST_KEPT)
    this.#kept.remember(kept.length === 0 ? undefined : kept.join(' '))
  }

  #read(): Set<string> {
    return new Set((this.#kept.recall() ?? '').split(' ').filter((identity) => IDENTITY.test(identity)))
  }
}
