import type { Announcement, OwnKeys } from './announcement.ts'
import { compare, counted, joined, labelled } from './octets.ts'
import type { CipherKey, Primitives } from './primitives.ts'

export interface LinkKeys {
  readonly send: CipherKey
  readonly receive: CipherKey
}

/** One end of a link. */
export interface End {
  readonly announcement: Announcement
  /** The peer id, as 8 bytes. */
  readonly id: Uint8Array
}

/** What the room adds to every link's keys. */
export interface LinkRoom {
  /** `len(room name)`. */
  readonly room: Uint8Array
  readonly linkSalt: Uint8Array
}

/** Rejects when the other's public keys are none. */
export async function linkKeys(
  primitives: Primitives,
  { room, linkSalt }: LinkRoom,
  own: OwnKeys,
  ours: End,
  theirs: End,
): Promise<LinkKeys> {
  const { x25519 } = theirs.announcement
  const weAreFirst = compare(own.instance, theirs.announcement.instance) < 0
  const ends = (weAreFirst ? [ours, theirs] : [theirs, ours]).map(({ announcement, id }) =>
    joined(counted(announcement.bytes), id),
  )
  const [shared, transcript] = await Promise.all([
    own.x25519 && x25519 ? own.x25519.agree(x25519) : own.p256.agree(theirs.announcement.p256),
    primitives.sha256(labelled('transcript', room, ...ends)),
  ])
  if (shared.every((byte) => byte === 0)) throw new RangeError()
  const link = await primitives.hkdf(shared, linkSalt, labelled('link', transcript), 64)
  const [first, second] = await Promise.all([primitives.cipher(link.slice(0, 32)), primitives.cipher(link.slice(32))])
  return weAreFirst ? { send: first, receive: second } : { send: second, receive: first }
}
