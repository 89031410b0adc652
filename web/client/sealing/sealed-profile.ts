/** Profiles that the server cannot read: SEALING.md, "Sealed profiles". Imported lazily: few ask for it. */
import type { InstanceId, Json } from '../../../signaling/protocol/index.ts'
import { base64url, fromBase64url, fromHex, labelled, NO_BYTES } from './octets.ts'
import type { CipherKey, Primitives } from './primitives.ts'
import { HEAD_BYTES, openRecord, RECORD, recordHead, sealRecord, TAG_BYTES } from './records.ts'

/** What the server is shown of such a profile. */
export interface SealedProfile {
  readonly [key: string]: string
  readonly sealed: string
}

/** What it takes of a room's sealing. */
export interface ProfileKeys {
  readonly deps: { readonly primitives: Primitives }
  readonly secrets: {
    readonly profileKey: Uint8Array
    /** Ours. */
    readonly keys: { readonly instance: Uint8Array }
  }
  nextCounter(): number
}

async function profileCipher({ deps, secrets }: ProfileKeys, instance: Uint8Array): Promise<CipherKey> {
  const { hkdf, cipher } = deps.primitives
  return cipher(await hkdf(secrets.profileKey, NO_BYTES, labelled('sealed', instance), 32))
}

/** Our profile as the server is to show it. */
export async function sealProfile(sealing: ProfileKeys, profile: Json): Promise<SealedProfile> {
  const cipher = await profileCipher(sealing, sealing.secrets.keys.instance)
  const text = new TextEncoder().encode(JSON.stringify(profile))
  return { sealed: base64url(await sealRecord(cipher, RECORD.profile, sealing.nextCounter(), text)) }
}

/** The profile behind what the server shows: the same when that is not a sealed one; `null` when it does not open. */
export async function openProfile(sealing: ProfileKeys, instance: InstanceId, shown: Json): Promise<Json> {
  const record = sealedRecord(shown)
  if (record === undefined) return shown
  const cipher = await profileCipher(sealing, fromHex(instance))
  const text = await openRecord(cipher, recordHead(record, HEAD_BYTES))
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
  return record !== undefined && record[0] === RECORD.profile && record.length >= HEAD_BYTES + TAG_BYTES
    ? record
    : undefined
}
