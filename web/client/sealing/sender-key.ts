/** The chain of keys under which one member seals what goes to the room: SEALING.md, "Sender keys". */
import { joined, labelled, NO_BYTES } from './octets.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import { encodeKeyName, type KeyName } from './records.ts'

/** Records under one group key: far below what AES-GCM bears, and 64 epochs of it do not wrap a sequence number. */
export const MOST_RECORDS = 16_777_216
export const MOST_STEP = 65_535
/** How far a receiver steps on from a key it has: what a made-up step may cost it. */
export const STEPS_AHEAD = 16
/** Keys that a receiver keeps of one sender, and a sender remembers to have given to one receiver. */
export const KEYS_KEPT = 64

/**
 * How long the keys of an epoch are good after the next one: what was sealed under them comes late at most. Who left has
 * them, too. A sender gives them again after half of it.
 */
export const OLD_EPOCH_MS = 60_000

/** Whose key, in which room. */
export interface KeyOwner {
  readonly instance: Uint8Array
  /** SHA-256 of `len(room name)`. */
  readonly roomHash: Uint8Array
}

export const nextStep = ({ hkdf }: Primitives, key: Uint8Array): Promise<Uint8Array> =>
  hkdf(key, NO_BYTES, labelled('step'), 32)

export async function groupCipher(
  { hkdf, cipher }: Primitives,
  { instance, roomHash }: KeyOwner,
  name: KeyName,
  key: Uint8Array,
): Promise<CipherKey> {
  const info = labelled('group', joined(encodeKeyName(name), instance, roomHash))
  return cipher(await hkdf(key, NO_BYTES, info, 32))
}

/** Whether who was given `given` can step on to `name`, and does. */
export const reaches = (given: KeyName, { epoch, step }: KeyName): boolean =>
  given.epoch === epoch && given.step <= step && given.step >= step - STEPS_AHEAD
