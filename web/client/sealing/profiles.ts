/** What the server shows of members' profiles, held against what they say themselves: SEALING.md, "Profiles". */
import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'

/**
 * The server's news and the member's come by ways of their own. It is counted in all since the newest digest was first
 * matched: else a server that shows the true profile for a moment now and then could show another one for ever.
 */
const PATIENCE_MS = 10_000

interface Shown {
  shown: string
  told: string | undefined
  /** The digest that was matched last. */
  met: string | undefined
  verified: boolean | undefined
  /** Ms without a match, up to the last time that `timer` was set. */
  spentMs: number
  sinceMs: number
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
    const member = this.#members.get(id) ?? {
      shown,
      told: announced,
      met: undefined,
      verified: undefined,
      spentMs: 0,
      sinceMs: 0,
      timer: undefined,
    }
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
    if (member.timer === undefined) return
    this.deps.clock.clearTimeout(member.timer)
    member.timer = undefined
    member.spentMs += this.deps.clock.now() - member.sinceMs
  }

  #compare(id: PeerId, member: Shown): void {
    const { told, shown } = member
    if (told === undefined || told === shown) {
      this.#stop(member)
      if (member.met !== told) member.spentMs = 0
      member.met = told
      member.verified = told === undefined ? undefined : true
      return
    }
    if (member.verified === false) return
    member.verified = undefined
    if (member.timer !== undefined) return
    member.sinceMs = this.deps.clock.now()
    member.timer = this.deps.clock.setTimeout(
      () => {
        this.#stop(member)
        member.verified = false
        this.deps.altered(id)
        this.deps.changed(id)
      },
      Math.max(0, PATIENCE_MS - member.spentMs),
    )
  }
}
