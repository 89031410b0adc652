import type { Json, MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { PathKind, Peer, PeerStats, Presence } from './face.ts'
import type { Link } from './link/link.ts'
import type { Attempts } from './paths/attempts.ts'
import type { BesideOnDemand } from './paths/beside-on-demand.ts'

/** What is known of a member by its keys. */
export interface PeerSeal {
  identity(id: PeerId): string | undefined
  profileVerified(id: PeerId): boolean | undefined
  safetyNumber(id: PeerId): Promise<string | undefined>
}

/** What the application sees of one member: a view of its link. */
export class RoomPeer<P extends Json> implements Peer<P> {
  attempts: Attempts | undefined
  beside: BesideOnDemand | undefined

  constructor(
    public info: MemberInfo,
    readonly link: Link,
    private readonly seal: PeerSeal,
  ) {}

  get id(): PeerId {
    return this.info.id
  }

  get userId(): string | undefined {
    return this.info.userId
  }

  get identity(): string | undefined {
    return this.seal.identity(this.info.id)
  }

  get safetyNumber(): Promise<string | undefined> {
    return this.seal.safetyNumber(this.info.id)
  }

  get profile(): P {
    return this.info.profile as P
  }

  get profileVerified(): boolean | undefined {
    return this.seal.profileVerified(this.info.id)
  }

  get presence(): Presence {
    return this.info.presence
  }

  get path(): PathKind {
    return this.link.path
  }

  get why(): string {
    const why = this.attempts?.why ?? 'not tried yet'
    if (this.link.path === 'none') return this.presence === 'away' ? 'away, and no direct path' : 'no way to the server'
    return this.link.path === 'relay' && this.link.suspended ? 'the direct path does not answer' : why
  }

  get rttMs(): number | undefined {
    return this.link.rttMs
  }

  async stats(): Promise<PeerStats> {
    const { link } = this
    const pair = await link.watched?.path.statistics().catch(() => undefined)
    return {
      path: link.path,
      why: this.why,
      rttMs: link.rttMs,
      localCandidate: pair?.localCandidate,
      remoteCandidate: pair?.remoteCandidate,
      protocol: pair?.protocol,
      bytesSent: link.sender.bytesSent,
      bytesReceived: link.bytesReceived,
      retransmissions: link.sender.retransmissions,
      duplicates: link.duplicates,
      unacknowledgedBytes: link.sender.unacknowledgedBytes,
      attempts: this.attempts?.count ?? 0,
    }
  }
}
