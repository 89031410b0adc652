import { createHmac, timingSafeEqual } from 'node:crypto'
import { type InstanceId, type PeerId, parseInstanceId, parsePeerId } from '../protocol/ids.ts'

/** What a session token says. Whoever holds it may come back as that member, with that instance only. */
export interface SessionClaims {
  readonly room: string
  readonly peerId: PeerId
  readonly instance: InstanceId
  readonly expiresAtMs: number
  /** Whose session it is, where access tokens say so. */
  readonly userId?: string
  /** Another member showed the instance when this one came. */
  readonly borrowed?: boolean
}

export type TokenVerdict =
  | { readonly is: 'good'; readonly claims: SessionClaims }
  /** Ours, but it has run out. */
  | { readonly is: 'expired' }
  /** Not ours, or altered. */
  | { readonly is: 'invalid' }

/** Signed together with the claims, so that a key shared with something else gives no tokens. */
const CONTEXT = 'partyline session 1\n'
const LEAST_KEY_BYTES = 32
const MAC_BYTES = 32
const INVALID: TokenVerdict = Object.freeze({ is: 'invalid' })

/**
 * Session tokens: `base64url(JSON of the claims) . base64url(HMAC-SHA256)`. Clients treat them as opaque.
 * The first key signs; all of them verify, so that a key can be replaced without ending sessions.
 */
export class SessionTokens {
  #keys: readonly Uint8Array[] = []

  /** @throws RangeError without a key, or with one shorter than 32 bytes */
  constructor(keys: readonly Uint8Array[]) {
    this.useKeys(keys)
  }

  /** From now on. Tokens of keys that are no longer among them are invalid. @throws RangeError as the constructor */
  useKeys(keys: readonly Uint8Array[]): void {
    if (keys.length === 0) throw new RangeError('session keys: expected at least one')
    if (keys.some((key) => key.length < LEAST_KEY_BYTES)) {
      throw new RangeError(`session keys: expected at least ${LEAST_KEY_BYTES} bytes each`)
    }
    this.#keys = keys
  }

  sign(claims: SessionClaims): string {
    const { room, peerId, instance, expiresAtMs, userId, borrowed } = claims
    // As short as it can be.
    const more = borrowed === true ? [userId ?? null, true] : userId === undefined ? [] : [userId]
    const parts = [room, peerId, instance, expiresAtMs, ...more]
    const body = Buffer.from(JSON.stringify(parts)).toString('base64url')
    return `${body}.${mac(this.#keys[0] as Uint8Array, body).toString('base64url')}`
  }

  verify(token: string, nowMs: number): TokenVerdict {
    const dot = token.indexOf('.')
    if (dot < 0) return INVALID
    const body = token.slice(0, dot)
    const written = token.slice(dot + 1)
    const given = Buffer.from(written, 'base64url')
    // Decoding forgives stray characters and bits; a token has one spelling.
    if (given.length !== MAC_BYTES || given.toString('base64url') !== written) return INVALID
    // Every key is tried whatever the others said: the time taken tells nothing.
    let signed = false
    for (const key of this.#keys) signed = timingSafeEqual(mac(key, body), given) || signed
    if (!signed) return INVALID
    const claims = parseClaims(body)
    if (claims === undefined) return INVALID
    return claims.expiresAtMs <= nowMs ? { is: 'expired' } : { is: 'good', claims }
  }
}

const mac = (key: Uint8Array, body: string): Buffer => createHmac('sha256', key).update(CONTEXT).update(body).digest()

/** Signed by us, so only a future format can fail here. */
function parseClaims(body: string): SessionClaims | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
    if (!Array.isArray(parts)) return undefined
    const [room, peerId, instance, expiresAtMs, userId, borrowed] = parts as unknown[]
    if (typeof room !== 'string' || typeof expiresAtMs !== 'number') return undefined
    return {
      room,
      peerId: parsePeerId(peerId, 'peerId'),
      instance: parseInstanceId(instance, 'instance'),
      expiresAtMs,
      ...(typeof userId === 'string' ? { userId } : {}),
      ...(borrowed === true ? { borrowed } : {}),
    }
  } catch {
    return undefined
  }
}
