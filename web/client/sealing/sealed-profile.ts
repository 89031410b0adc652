/** Profiles that the server cannot read: SEALING.md, "Sealed profiles". Imported lazily: few ask for it. */
import type { Json } from '../../../signaling/protocol/index.ts'
import { base64url, fromBase64url, labelled, NO_BYTES } from './octets.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import type { RECORD } from './records.ts'

const KIND = 5 satisfies typeof RECORD.profile
/** Head and tag of a record. */
const LEAST_BYTES = 25

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

/** `seal`: makes a record of kind 5, under a counter that this instance has not used before. */
export async function sealProfile(
  primitives: Primitives,
  profileKey: Uint8Array,
  instance: Uint8Array,
  profile: Json,
  seal: (cipher: CipherKey, plain: Uint8Array) => Promise<Uint8Array>,
): Promise<SealedProfile> {
  const cipher = await profileCipher(primitives, profileKey, instance)
  return { sealed: base64url(await seal(cipher, new TextEncoder().encode(JSON.stringify(profile)))) }
}

/** The profile behind what the server shows: the same when that is not a sealed one; `null` when it does not open. */
export async function openProfile(
  primitives: Primitives,
  profileKey: Uint8Array,
  instance: Uint8Array,
  shown: Json,
  open: (cipher: CipherKey, record: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<Json> {
  const record = sealedRecord(shown)
  if (record === undefined) return shown
  const text = await open(await profileCipher(primitives, profileKey, instance), record)
  try {
    return text === undefined ? null : (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text)) as Json)
  } catch {
    return null
  }
}

function sealedRecord(shown: Json): Uint8Array | undefined {
  if (typeof shown !== 'object' || shown === null || Object.keys(shown).join() !== 'sealed') return undefined
  const { sealed } = shown as Partial<SealedProfile>
  const record = typeof sealed === 'string' ? fromBase64url(sealed) : undefined
  return record !== undefined && record[0] === KIND && record.length >= LEAST_BYTES ? record : undefined
}
