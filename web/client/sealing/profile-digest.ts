/** By which a member says which profile is its own: SEALING.md, "Profiles". */
import { encodeText, type Json } from '../../../signaling/protocol/index.ts'
import { labelled } from './octets.ts'
import type { Primitives } from './primitives.ts'

/** JSON as RFC 8785 has it: the same text for the same value, however it was written on its way. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson)}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const fields = value as { readonly [key: string]: Json }
  return `{${Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`)}}`
}

/** `room`: `len(room name)`. `profile`: whatever `JSON.stringify` takes. */
export const profileDigest = (
  { hmac }: Pick<Primitives, 'hmac'>,
  profileKey: Uint8Array,
  room: Uint8Array,
  instance: Uint8Array,
  profile: Json | undefined,
): Promise<Uint8Array> =>
  hmac(
    profileKey,
    labelled('digest', room, instance, encodeText(canonicalJson(JSON.parse(JSON.stringify(profile ?? null))))),
  )
