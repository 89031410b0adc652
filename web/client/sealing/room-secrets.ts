/**
 * What an instance has before it knows anyone: its keys and their announcement, and what follows from the room's name
 * and secret. Made once, from options alone; nothing of it changes, and nothing here knows of members or records.
 */
import { encodeText, hexAt, type InstanceId, type Json } from '../../../signaling/protocol/index.ts'
import {
  type Announcement,
  announce,
  boundInstance,
  decodeAnnouncement,
  type OwnKeys,
  type RoomSeal,
  type SealedMode,
} from './announcement.ts'
import { base64url, counted, fromHex } from './octets.ts'
import type { Primitives, SigningKey } from './primitives.ts'
import { profileDigest } from './profile-digest.ts'
import { type RoomKey, roomKey, stretch } from './room-key.ts'

export interface SealingOptions {
  readonly mode: SealedMode
  /** The room's name. */
  readonly room: string
  /** A function: it is told the one that follows from the keys, and says which it is to be. */
  readonly instance: InstanceId | ((bound: InstanceId) => InstanceId)
  /** Newest version of the wire spoken. */
  readonly protocol: number
  /** Mode `secret`: this, 16 to 64 bytes, or `password`. */
  readonly secret?: Uint8Array | undefined
  readonly password?: string | undefined
  readonly identity?: SigningKey | undefined
  /** That the first `join` asks for, as JSON has it; the announcement says its digest. */
  readonly profile?: Json
}

export interface RoomSecrets {
  readonly seal: RoomSeal
  readonly keys: OwnKeys
  /** Of these keys. */
  readonly own: Announcement
  readonly linkSalt: Uint8Array
  readonly profileKey: Uint8Array
  /** SHA-256 of `len(room name)`. */
  readonly roomHash: Uint8Array
  /** Mode `secret` only. */
  readonly roomKey: RoomKey | undefined
}

/** Some hundred ms with a password, else a few. */
export async function makeSecrets(primitives: Primitives, options: SealingOptions): Promise<RoomSecrets> {
  const { mode, protocol, identity, secret, password } = options
  const name = encodeText(options.room)
  const room = counted(name)
  const makeKeys = async () => {
    const [p256, x25519] = await Promise.all([primitives.p256(), primitives.x25519()])
    const points = { p256: p256.publicKey, x25519: x25519?.publicKey, identity: identity?.publicKey }
    const bound = hexAt(await boundInstance(primitives, room, points), 0, 16) as InstanceId
    const { instance } = options
    return { p256, x25519, instance: fromHex(typeof instance === 'string' ? instance : instance(bound)) }
  }
  const [{ p256, x25519, instance }, roomHash, shared] = await Promise.all([
    makeKeys(),
    primitives.sha256(room),
    mode === 'link'
      ? undefined
      : (password === undefined ? Promise.resolve(secret as Uint8Array) : stretch(primitives, password, name)).then(
          (bytes) => roomKey(primitives, bytes, name),
        ),
  ])
  const none = new Uint8Array(32)
  const [proofKey, linkSalt, profileKey] = await Promise.all([
    shared?.derive('proof'),
    shared?.derive('salt') ?? none,
    shared?.derive('profile') ?? none,
  ])
  const seal: RoomSeal = { mode, room, proofKey }
  const profile =
    options.profile === undefined
      ? undefined
      : await profileDigest(primitives, profileKey, room, instance, options.profile)
  const keys: OwnKeys = { protocol, instance, p256, x25519, identity, profile }
  const announcement = base64url(await announce(primitives, seal, keys))
  const own = decodeAnnouncement(announcement, mode) as Announcement
  return { seal, keys, own, linkSalt, profileKey, roomHash, roomKey: shared }
}
