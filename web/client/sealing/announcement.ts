/** A member's public keys, as its `join` announces them: SEALING.md, "Announcement". */
import { ByteWriter } from '../../../signaling/protocol/index.ts'
import { compare, fromBase64url, labelled, NO_BYTES } from './octets.ts'
import type { AgreementKey, Primitives, SigningKey } from './primitives.ts'

/** Longest announcement, as base64url. */
export const SEAL_CHARS = 512

/** Numbers on the wire; `open` announces nothing. */
export const MODES = Object.freeze({ link: 1, secret: 2 } as const)
export type SealedMode = keyof typeof MODES

/** Why something was refused; SEALING.md, "What is refused". */
export type SealingRefusal =
  | 'wrong-secret'
  | 'seal-mismatch'
  | 'seal-changed'
  | 'identity-invalid'
  | 'unsealed'
  | 'forged'
  | 'replayed'

const FORM = 1
const X25519 = 1
const IDENTITY = 2
const PROFILE = 4

/** What all announcements of a room have in common. */
export interface RoomSeal {
  readonly mode: SealedMode
  /** `len(room name)`. */
  readonly room: Uint8Array
  /** 32 bytes in mode `secret`; in `link` there is none. */
  readonly proofKey: Uint8Array | undefined
}

export interface OwnKeys {
  readonly protocol: number
  readonly instance: Uint8Array
  readonly p256: AgreementKey
  readonly x25519: AgreementKey | undefined
  readonly identity: SigningKey | undefined
  /** 32 bytes: the digest of the profile that the first `join` asks for. */
  readonly profile?: Uint8Array | undefined
}

export interface Announcement {
  readonly bytes: Uint8Array
  readonly instance: Uint8Array
  readonly p256: Uint8Array
  readonly x25519: Uint8Array | undefined
  readonly profile: Uint8Array | undefined
  readonly identity: Uint8Array | undefined
  /** Where the signature, and where the proof, stands. */
  readonly signatureAt: number
  readonly proofAt: number
}

const signed = (room: Uint8Array, bytes: Uint8Array, end: number): Uint8Array =>
  labelled('identity', room, bytes.subarray(0, end))

const proof = ({ hmac }: Primitives, key: Uint8Array, room: Uint8Array, bytes: Uint8Array, end: number) =>
  hmac(key, labelled('announce', room, bytes.subarray(0, end)))

export async function announce(primitives: Primitives, seal: RoomSeal, own: OwnKeys): Promise<Uint8Array> {
  const { x25519, identity, p256, instance, protocol, profile } = own
  const flags = (x25519 ? X25519 : 0) | (identity ? IDENTITY : 0) | (profile ? PROFILE : 0)
  const writer = new ByteWriter(new Uint8Array(lengthOf(seal.mode, flags)))
  const { bytes } = writer
  writer.u8(FORM)
  writer.u8(MODES[seal.mode])
  writer.u16(protocol)
  writer.u8(flags)
  writer.raw(instance)
  writer.raw(p256.publicKey)
  if (x25519) writer.raw(x25519.publicKey)
  if (profile) writer.raw(profile)
  if (identity) {
    writer.raw(identity.publicKey)
    writer.raw(await identity.sign(signed(seal.room, bytes, writer.position)))
  }
  if (seal.proofKey) writer.raw(await proof(primitives, seal.proofKey, seal.room, bytes, writer.position))
  return bytes
}

const lengthOf = (mode: SealedMode, flags: number): number =>
  86 +
  (flags & X25519 ? 32 : 0) +
  (flags & PROFILE ? 32 : 0) +
  (flags & IDENTITY ? 129 : 0) +
  (mode === 'secret' ? 32 : 0)

/** 16 bytes: that which nobody has but with these keys. SEALING.md, "Whose an instance is". `room`: `len(room name)`. */
export async function boundInstance(
  { sha256 }: Primitives,
  room: Uint8Array,
  { p256, x25519 = NO_BYTES, identity = NO_BYTES }: Pick<Announcement, 'p256' | 'x25519' | 'identity'>,
): Promise<Uint8Array> {
  return (await sha256(labelled('instance', room, p256, x25519, identity))).subarray(0, 16)
}

/** `undefined`: it is none of this mode. */
export function decodeAnnouncement(text: string | undefined, mode: SealedMode): Announcement | undefined {
  const bytes = text === undefined || text.length > SEAL_CHARS ? undefined : fromBase64url(text)
  if (bytes === undefined) return undefined
  const flags = bytes[4] as number
  if (bytes[0] !== FORM || bytes[1] !== MODES[mode] || flags > 7 || bytes.length !== lengthOf(mode, flags)) {
    return undefined
  }
  let at = 5
  const take = (length: number): Uint8Array => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const instance = take(16)
  const p256 = take(65)
  const x25519 = flags & X25519 ? take(32) : undefined
  const profile = flags & PROFILE ? take(32) : undefined
  const identity = flags & IDENTITY ? take(65) : undefined
  const signatureAt = at
  if (identity) at += 64
  return { bytes, instance, p256, x25519, profile, identity, signatureAt, proofAt: at }
}

/** The third and fourth check. */
export async function verifyAnnouncement(
  primitives: Primitives,
  { proofKey, room }: RoomSeal,
  { bytes, identity, signatureAt, proofAt }: Announcement,
): Promise<SealingRefusal | undefined> {
  if (proofKey && compare(await proof(primitives, proofKey, room, bytes, proofAt), bytes.subarray(proofAt)) !== 0) {
    return 'wrong-secret'
  }
  if (!identity) return undefined
  const good = await primitives.verify(
    identity,
    bytes.subarray(signatureAt, signatureAt + 64),
    signed(room, bytes, signatureAt),
  )
  return good ? undefined : 'identity-invalid'
}
