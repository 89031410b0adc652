/** Profiles that the server cannot read: SEALING.md, "Sealed profiles". Imported lazily: few ask for it. */
import { decodeText, encodeText, type Json } from '../../../signaling/protocol/index.ts'
import { base64url, fromBase64url, labelled, NO_BYTES } from './octets.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import { HEAD_BYTES, openRecord, RECORD, recordHead, sealRecord, TAG_BYTES } from './records.ts'

/** What the server is shown of such a profile. */
export interface SealedProfile {
  readonly sealed: string
}

async function profileCipher(
  { hkdf, cipher }: Primitives,
  profileKey: Uint8Array,
  instance: Uint8Array,
): Promise<CipherKey> {
  return cipher(await hkdf(profileKey, NO_BYTES, labelled('sealed', instance), 32))
}

/** `counter`: of this instance, never used before. */
export async function sealProfile(
  primitives: Primitives,
  profileKey: Uint8Array,
  instance: Uint8Array,
  counter: number,
  profile: Json,
): Promise<SealedProfile> {
  const cipher = await profileCipher(primitives, profileKey, instance)
  const record = await sealRecord(cipher, RECORD.profile, counter, encodeText(JSON.stringify(profile)))
  return { sealed: base64url(record) }
}

/** The profile behind what the server shows: the same when that is not a sealed one; `null` when it does not open. */
export async function openProfile(
  primitives: Primitives,
  profileKey: Uint8Array,
  instance: Uint8Array,
  shown: Json,
): Promise<Json> {
  const record = sealedRecord(shown)
  if (record === undefined) return shown
  const cipher = await profileCipher(primitives, profileKey, instance)
  const text = await openRecord(cipher, recordHead(record, HEAD_BYTES))
  try {
    return text === undefined ? null : (JSON.parse(decodeText(text)) as Json)
  } catch {
    return null
  }
}

function sealedRecord(shown: Json): Uint8Array | undefined {
  if (typeof shown !== 'object' || shown === null || Object.keys(shown).join() !== 'sealed') return undefined
  const { sealed } = shown as Partial<SealedProfile>
  const record = typeof sealed === 'string' ? fromBase64url(sealed) : undefined
  return record !== undefined && record[0] === RECORD.profile && record.length >= HEAD_BYTES + TAG_BYTES
    ? record
    : undefined
}
