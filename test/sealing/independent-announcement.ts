/** The part of independent.ts that is about the room's key, announcements, identities and safety numbers. */
import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'

export const MODE_CODES = { link: 1, secret: 2 } as const
export type SealedMode = keyof typeof MODE_CODES

export const HAS_X25519 = 1
export const HAS_IDENTITY = 2
export const HAS_PROFILE = 4
export const NONE = Buffer.alloc(0)

export const label = (word: string): Buffer => Buffer.from(`partyline 1 ${word}`)
export const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

export function big(bytes: number, value: number): Buffer {
  const out = Buffer.alloc(bytes)
  if (bytes === 8) out.writeBigUInt64BE(BigInt(value))
  else out.writeUIntBE(value, 0, bytes)
  return out
}

/** `len(x)`: text is its UTF-8. */
export function len(x: Uint8Array | string): Buffer {
  const bytes = Buffer.from(x)
  return Buffer.concat([big(2, bytes.length), bytes])
}

export const hkdf = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, n: number): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, n))

export const hmac = (key: Uint8Array, ...data: Uint8Array[]): Buffer =>
  createHmac('sha256', key).update(Buffer.concat(data)).digest()

/** What a room's secret gives. In mode `link` there is no proof key, and the link salt is zero. */
export interface RoomKeys {
  readonly proof?: Buffer
  readonly linkSalt: Buffer
  readonly history?: Buffer
  readonly profile?: Buffer
}

export function roomKeys(mode: SealedMode, room: string, S?: Uint8Array): RoomKeys {
  if (mode === 'link') return { linkSalt: Buffer.alloc(32) }
  if (S === undefined) throw new Error('the mode secret needs one')
  const roomKey = hkdf(S, label('room'), len(room), 32)
  const derived = (word: string): Buffer => hkdf(roomKey, NONE, label(word), 32)
  return {
    proof: derived('proof'),
    linkSalt: derived('salt'),
    history: derived('history'),
    profile: derived('profile'),
  }
}

/** What goes into Argon2id for a password. */
export const argon2Input = (room: string, password: string): { password: Buffer; salt: Buffer } => ({
  password: Buffer.from(password.normalize('NFC')),
  salt: sha256(label('password'), len(room)).subarray(0, 16),
})

/** Why a member or a record was refused: the codes of the document. */
export class Refusal extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

export function demand(condition: boolean, code: string): asserts condition {
  if (!condition) throw new Refusal(code)
}

export interface Announced {
  readonly bytes: Buffer
  readonly protocol: number
  readonly instance: Buffer
  /** The instance follows from the keys. */
  readonly bound: boolean
  readonly p256: Buffer
  readonly x25519?: Buffer
  readonly profile?: Buffer
  readonly identity?: Buffer
}

export interface Identity {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export const makeIdentity = (): Identity => generateKeyPairSync('ec', { namedCurve: 'P-256' })

export function rawPoint(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

export const rawX25519 = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')

export const x25519Key = (raw: Buffer): KeyObject =>
  createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') } })

function verifies(point: Buffer, data: Buffer, signature: Buffer): boolean {
  try {
    const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
    const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
    return point[0] === 4 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

interface PublicKeys {
  readonly p256: Buffer
  readonly x25519?: Buffer | undefined
  readonly identity?: Buffer | undefined
}

/** What the instance of somebody with these keys is to be. */
export const boundInstance = (room: string, { p256, x25519, identity }: PublicKeys): Buffer =>
  sha256(label('instance'), len(room), p256, x25519 ?? NONE, identity ?? NONE).subarray(0, 16)

interface Making {
  readonly mode: SealedMode
  readonly room: string
  readonly keys: RoomKeys
  readonly protocol: number
  readonly instance: Buffer
  readonly p256: Buffer
  readonly x25519?: Buffer
  /** The digest of a profile. */
  readonly profile?: Buffer
  readonly identity?: Identity
}

/** As base64url. */
export function makeAnnouncement({ mode, room, keys, x25519, profile, identity, ...rest }: Making): string {
  const { protocol, instance, p256 } = rest
  const flags = (x25519 ? HAS_X25519 : 0) | (identity ? HAS_IDENTITY : 0) | (profile ? HAS_PROFILE : 0)
  const parts = [Uint8Array.of(1, MODE_CODES[mode]), big(2, protocol), Uint8Array.of(flags), instance, p256]
  if (x25519 !== undefined) parts.push(x25519)
  if (profile !== undefined) parts.push(profile)
  if (identity !== undefined) {
    parts.push(rawPoint(identity.publicKey))
    const signed = Buffer.concat([label('identity'), len(room), ...parts])
    parts.push(sign('sha256', signed, { key: identity.privateKey, dsaEncoding: 'ieee-p1363' }))
  }
  if (keys.proof !== undefined) parts.push(hmac(keys.proof, label('announce'), len(room), ...parts))
  return Buffer.concat(parts).toString('base64url')
}

interface Reading {
  readonly mode: SealedMode
  readonly room: string
  readonly keys: RoomKeys
  /** As the server shows it for the member. */
  readonly instance: Buffer
  readonly own: Buffer
  /** What is known of this instance: an announcement, and whether a record of it has opened. */
  readonly known?: { readonly announcement: Buffer; readonly bound: boolean; readonly newest: number }
}

/** Checks 1 to 4 of an announcement, in their order. */
export function readAnnouncement(seal: string | undefined, by: Reading): Announced {
  demand(seal !== undefined && /^[A-Za-z0-9_-]+$/.test(seal), 'seal-mismatch')
  const bytes = Buffer.from(seal, 'base64url')
  demand(bytes.length >= 21 && bytes[0] === 1 && bytes[1] === MODE_CODES[by.mode], 'seal-mismatch')
  const flags = bytes[4] ?? 0
  demand((flags & ~(HAS_X25519 | HAS_IDENTITY | HAS_PROFILE)) === 0, 'seal-mismatch')
  let at = 0
  const take = (length: number): Buffer => {
    at += length
    return bytes.subarray(at - length, at)
  }
  take(5)
  const instance = take(16)
  const p256 = take(65)
  const x25519 = flags & HAS_X25519 ? take(32) : undefined
  const profile = flags & HAS_PROFILE ? take(32) : undefined
  const identity = flags & HAS_IDENTITY ? take(65) : undefined
  const signed = bytes.subarray(0, at)
  const signature = take(flags & HAS_IDENTITY ? 64 : 0)
  const proved = bytes.subarray(0, at)
  const proof = take(by.mode === 'secret' ? 32 : 0)
  demand(at === bytes.length && instance.equals(by.instance) && !instance.equals(by.own), 'seal-mismatch')
  const bound = instance.equals(boundInstance(by.room, { p256, x25519, identity }))
  if (by.known !== undefined && !by.known.announcement.equals(bytes)) {
    demand(bound && (!by.known.bound || by.known.newest === 0), 'seal-changed')
  }
  if (by.keys.proof !== undefined) {
    const due = hmac(by.keys.proof, label('announce'), len(by.room), proved)
    demand(proof.length === due.length && timingSafeEqual(proof, due), 'wrong-secret')
  }
  if (identity !== undefined) {
    demand(verifies(identity, Buffer.concat([label('identity'), len(by.room), signed]), signature), 'identity-invalid')
  }
  return {
    bytes,
    protocol: bytes.readUInt16BE(2),
    instance,
    bound,
    p256,
    ...(x25519 && { x25519 }),
    ...(profile && { profile }),
    ...(identity && { identity }),
  }
}

/** 60 digits that two people compare. */
export function safetyNumber(one: Announced, other: Announced): string {
  const compared = (of: Announced, beside: Announced): Buffer =>
    of.identity !== undefined && beside.identity !== undefined ? of.identity : of.bytes
  const [x, y] = [compared(one, other), compared(other, one)].sort(Buffer.compare)
  const h = sha256(label('safety'), len(x ?? NONE), len(y ?? NONE))
  const expanded = hkdf(h, NONE, label('digits'), 60)
  return Array.from({ length: 12 }, (_, group) =>
    String(expanded.readUIntBE(group * 5, 5) % 100_000).padStart(5, '0'),
  ).join(' ')
}
