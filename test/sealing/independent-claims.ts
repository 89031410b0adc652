/**
 * The part of the second implementation that is about what members claim of themselves: signed messages, digests of
 * profiles, and sealed profiles. From SEALING.md, "Signed channels" and "Profiles", alone.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { big, demand, hkdf, hmac, label, len, NONE, Refusal, rawPoint } from './independent-announcement.ts'
import { decrypt, linkRecord } from './independent-records.ts'

const PROFILE = 6

/** What both ends know of a message to the room of a signed channel, beside its body. */
export interface Place {
  readonly room: string
  /** The sender's. */
  readonly instance: Uint8Array
  /** `s:` and the application's name. */
  readonly wireName: string
  readonly ordinal: number
  /** As in its frame. */
  readonly sent: number
}

export const CONTENTS = { json: 0, text: 1, bytes: 2 } as const

const signedOver = ({ room, instance, wireName, ordinal, sent }: Place, content: number, payload: Uint8Array): Buffer =>
  Buffer.concat([
    label('message'),
    len(room),
    instance,
    len(wireName),
    big(4, ordinal),
    big(3, sent),
    Uint8Array.of(content),
    payload,
  ])

export interface Signer {
  readonly privateKey: KeyObject
  /** The message of the link channel. */
  readonly says: { readonly t: 'signer'; readonly key: string }
}

export function makeSigner(
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
  }),
): Signer {
  return { privateKey, says: { t: 'signer', key: rawPoint(publicKey).toString('base64url') } }
}

/** The body of the frames of a message to the room. */
export function signBody({ privateKey }: Signer, place: Place, content: number, payload: Uint8Array): Buffer {
  const signature = sign('sha256', signedOver(place, content, payload), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return Buffer.concat([signature, Uint8Array.of(content), payload])
}

/** Throws a {@link Refusal}. `key`: as the signer has said it. */
export function openBody(key: string, place: Place, body: Uint8Array): { content: number; payload: Buffer } {
  demand(body.length >= 65, 'forged')
  const bytes = Buffer.from(body)
  const content = bytes[64] ?? 0
  demand(content <= CONTENTS.bytes, 'forged')
  const payload = bytes.subarray(65)
  const point = Buffer.from(key, 'base64url')
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
  const data = signedOver(place, content, payload)
  demand(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes.subarray(0, 64)), 'forged')
  return { content, payload }
}

/** What a receiver knows of one instance's messages on one signed channel. */
export class SignedPlaces {
  #next = 0

  /** A greeting lists the channel with this ordinal. */
  greeted(ordinal: number): void {
    if (((ordinal - this.#next) | 0) > 0) this.#next = ordinal >>> 0
  }

  /** Of a message whose signature is good. Whether something is missing before it. Throws a {@link Refusal}. */
  take(ordinal: number): { readonly withheld: boolean } {
    const ahead = (ordinal - this.#next) | 0
    demand(ahead >= 0, 'replayed')
    this.#next = (ordinal + 1) >>> 0
    return { withheld: ahead > 0 }
  }
}

/** RFC 8785, of what JSON.parse gives. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}

/** `profileKey`: of the room's keys, or 32 zero bytes in mode `link`. */
export const profileDigest = (profileKey: Uint8Array, room: string, instance: Uint8Array, profile: unknown): Buffer =>
  hmac(profileKey, label('digest'), len(room), instance, Buffer.from(canonical(profile)))

const sealedProfileKey = (profileKey: Uint8Array, instance: Uint8Array): Buffer =>
  hkdf(profileKey, NONE, Buffer.concat([label('sealed'), instance]), 32)

/** What the server is given instead of a profile. */
export const sealProfile = (
  profileKey: Uint8Array,
  instance: Uint8Array,
  counter: number,
  profile: unknown,
): { readonly sealed: string } => ({
  sealed: linkRecord(
    PROFILE,
    sealedProfileKey(profileKey, instance),
    counter,
    Buffer.from(JSON.stringify(profile)),
  ).toString('base64url'),
})

/** The profile behind what the server shows, in mode `secret`. */
export function openProfile(profileKey: Uint8Array, instance: Uint8Array, shown: unknown): unknown {
  if (typeof shown !== 'object' || shown === null || Object.keys(shown).join() !== 'sealed') return shown
  const { sealed } = shown as { readonly sealed: unknown }
  if (typeof sealed !== 'string' || !/^[A-Za-z0-9_-]*$/.test(sealed)) return shown
  const record = Buffer.from(sealed, 'base64url')
  if (record[0] !== PROFILE || record.length < 25) return shown
  try {
    const counter = Number(record.readBigUInt64BE(1))
    const text = decrypt(
      sealedProfileKey(profileKey, instance),
      record.subarray(0, 9),
      counter,
      record.subarray(9),
    ).toString()
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError) return null
    throw error
  }
}
