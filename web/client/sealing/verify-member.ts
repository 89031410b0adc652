/**
 * Whether what the server shows of a member holds, and the keys of the link to it. It keeps nothing: who is a member, and
 * whose an instance is, is known elsewhere.
 */
import { hexAt, type InstanceId, type PeerId } from '../../../signaling/protocol/index.ts'
import {
  type Announcement,
  boundInstance,
  decodeAnnouncement,
  type SealingRefusal,
  verifyAnnouncement,
} from './announcement.ts'
import type { Instances } from './instances.ts'
import { type LinkKeys, linkKeys } from './link-keys.ts'
import { base64url, compare, fromHex } from './octets.ts'
import type { Primitives } from './primitives.ts'
import type { RoomSecrets } from './room-secrets.ts'

/** What the server shows of a member. */
export interface ShownMember {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly seal: string | undefined
}

export interface Verification {
  /** SHA-256 of its verified public key, as hex, if it has one. */
  readonly identity: string | undefined
  /** The digest of the profile that it came with, as base64url, if it says so. */
  readonly profile: string | undefined
}

export interface VerifiedMember extends LinkKeys {
  readonly announcement: Announcement
  /** The instance follows from its keys. */
  readonly bound: boolean
  readonly verification: Verification
}

/** `self`: our own id. `instances`: those that are known already. */
export async function verifyMember(
  primitives: Primitives,
  { seal: room, keys: ownKeys, own, linkSalt }: RoomSecrets,
  self: PeerId,
  { id, instance, seal }: ShownMember,
  instances: Pick<Instances, 'isTaken'>,
): Promise<VerifiedMember | SealingRefusal> {
  const announcement = decodeAnnouncement(seal, room.mode)
  if (
    announcement === undefined ||
    hexAt(announcement.instance, 0, 16) !== instance ||
    hexAt(ownKeys.instance, 0, 16) === instance
  ) {
    return 'seal-mismatch'
  }
  const bound = compare(await boundInstance(primitives, room.room, announcement), announcement.instance) === 0
  if (instances.isTaken(instance, announcement.bytes, bound)) return 'seal-changed'
  const refusal = await verifyAnnouncement(primitives, room, announcement)
  if (refusal !== undefined) return refusal
  const [ours, theirs] = [
    { announcement: own, id: fromHex(self) },
    { announcement, id: fromHex(id) },
  ]
  const keys = await linkKeys(primitives, { room: room.room, linkSalt }, ownKeys, ours, theirs).catch(() => undefined)
  if (keys === undefined) return 'seal-mismatch'
  const identity = announcement.identity && hexAt(await primitives.sha256(announcement.identity), 0, 32)
  const profile = announcement.profile && base64url(announcement.profile)
  return { ...keys, announcement, bound, verification: { identity, profile } }
}
