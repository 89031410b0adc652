import { encodeText } from '../../../signaling/protocol/index.ts'
import { counted, labelled, NO_BYTES } from './octets.ts'
import type { Primitives } from './primitives.ts'

/** 128 bits cannot be guessed. */
export const LEAST_SECRET_BYTES = 16
export const MOST_SECRET_BYTES = 64
/** Longest password, in UTF-8 bytes. */
export const PASSWORD_BYTES = 1_024

/** What the room's secret is good for. `history` is reserved. */
export type RoomKeyUse = 'proof' | 'salt' | 'history' | 'profile'

/** What all who know the room's secret have in common. Mode `secret` only. */
export interface RoomKey {
  /** 32 bytes. */
  derive(use: RoomKeyUse): Promise<Uint8Array>
}

/** `secret`: 16 to 64 bytes, as generated or as `stretch` made them. */
export async function roomKey(
  { hkdf }: Pick<Primitives, 'hkdf'>,
  secret: Uint8Array,
  roomName: Uint8Array,
): Promise<RoomKey> {
  const key = await hkdf(secret, labelled('room'), counted(roomName), 32)
  return { derive: (use) => hkdf(key, NO_BYTES, labelled(use), 32) }
}

/** The secret of a typed password: takes some hundred ms, and loads its code when it is first needed. */
export async function stretch(
  { sha256 }: Pick<Primitives, 'sha256'>,
  password: string,
  roomName: Uint8Array,
): Promise<Uint8Array> {
  const [{ argon2id }, salt] = await Promise.all([
    import('./argon2.ts'),
    sha256(labelled('password', counted(roomName))),
  ])
  return argon2id(encodeText(password.normalize('NFC')), salt.subarray(0, 16))
}
