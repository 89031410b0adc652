/** What the server shows of members' profiles, held against what they say themselves: SEALING.md, "Profiles". */
import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'

/** The server's news and the member's come by ways of their own. */
const PATIENCE_MS = 10_000

interface Shown {
  shown: string
  told: string | undefined
  verified: boolean | undefined
  timer: TimerHandle | undefined
}

export interface ProfilesDeps {
  readonly clock: Clock
  /** For too long. */
  altered(id: PeerId): void
  /** Whether it is verified is another now, and nothing else tells. */
  changed(id: PeerId): void
}

export class Profiles {
  readonly #members = new Map<PeerId, Shown>()

  constructor(private readonly deps: ProfilesDeps) {}

  verified(id: PeerId): boolean | undefined {
    return this.#members.get(id)?.verified
  }

  /** The digest of what the server shows; `announced`: that the member came with, which counts until it says another. */
  show(id: PeerId, shown: string, announced: string | undefined): void {
    const member = this.#members.get(id) ?? { shown, told: announced, verified: undefined, timer: undefined }
    member.shown = shown
    this.#members.set(id, member)
    this.#compare(id, member)
  }

  /** The member says what the digest of its profile is. */
  tell(id: PeerId, told: string): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    const { verified } = member
    member.told = told
    this.#compare(id, member)
    if (member.verified !== verified) this.deps.changed(id)
  }

  gone(id: PeerId): void {
    const member = this.#members.get(id)
    if (member !== undefined) this.#stop(member)
    this.#members.delete(id)
  }

  close(): void {
    for (const id of [...this.#members.keys()]) this.gone(id)
  }

  #stop(member: Shown): void {
    if (member.timer !== undefined) this.deps.clock.clearTimeout(member.timer)
    member.timer = undefined
  }

  #compare(id: PeerId, member: Shown): void {
    const { told, shown } = member
    if (told === undefined || told === shown) {
      this.#stop(member)
      member.verified = told === undefined ? undefined : true
      return
    }
    if (member.verified === false) return
    member.verified = undefined
    member.timer ??= this.deps.clock.setTimeout(() => {
      member.timer = undefined
      member.verified = false
      this.deps.altered(id)
      this.deps.changed(id)
    }, PATIENCE_MS)
  }
}
