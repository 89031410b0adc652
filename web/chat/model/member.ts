import type { PathKind, Peer, PeerId, Presence } from 'partyline'
import { readPersonName } from '../../ui/person-name.ts'

/** What everybody tells about themselves. */
export type ChatProfile = { readonly name: string }

/** Somebody else in the room, as shown. */
export interface Member {
  readonly id: PeerId
  readonly name: string
  readonly presence: Presence
  readonly path: PathKind
  readonly why: string
  /** Verified by the client; `undefined` when it shows none. */
  readonly identity: string | undefined
  /** The server shows another name than the member says it has. */
  readonly isAltered: boolean
  /** Whole ms once above 10, so that the list does not flicker. */
  readonly rttMs: number | undefined
}

/** The name in a profile, which others write as they like. */
export function nameFrom(profile: unknown, id: PeerId): string {
  const given = typeof profile === 'object' && profile !== null && 'name' in profile ? profile.name : undefined
  return readPersonName(given) ?? `Guest ${id.slice(0, 4)}`
}

export function memberFrom(peer: Peer<ChatProfile>): Member {
  const rttMs = peer.rttMs === undefined || peer.rttMs < 10 ? peer.rttMs : Math.round(peer.rttMs)
  return {
    id: peer.id,
    name: nameFrom(peer.profile, peer.id),
    presence: peer.presence,
    path: peer.path,
    why: peer.why,
    identity: peer.identity,
    isAltered: peer.profileVerified === false,
    rttMs,
  }
}

/** Here before away, then by name, then by id so that equal names keep their places. */
export function inOrder(members: readonly Member[]): readonly Member[] {
  const rank = (member: Member): number => (member.presence === 'here' ? 0 : 1)
  return members.toSorted(
    (one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1),
  )
}
