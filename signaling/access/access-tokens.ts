import { errors, type JWTPayload, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose'
import { AccessError } from './access-error.ts'
import { readClaims } from './claims.ts'
import type { Grant } from './grant.ts'
import { fitsPattern } from './room-pattern.ts'
import type { TokenKeys } from './token-keys.ts'

/** Decides who may enter a room. */
export interface Access {
  /** What the token allows its bearer in the room. Rejects with `AccessError` when that is nothing. */
  check(token: string | undefined, room: string): Promise<Grant>
}

/** Clocks of servers are within a second or two of each other. */
const TOLERANCE_S = 5

export interface AccessTokensDependencies {
  readonly keys: TokenKeys
  /** One of these must be among the token's `aud`, if any are given. */
  readonly audience: readonly string[]
  /** The token's `iss` must be one of these, if any are given. */
  readonly issuer: readonly string[]
  /** Of a profile in a token, as JSON. */
  readonly profileBytes: number
  /** ms since 1970. */
  readonly nowMs: () => number
}

/** Access tokens: JWTs that the application signs. */
export class AccessTokens implements Access {
  readonly #dependencies: AccessTokensDependencies

  constructor(dependencies: AccessTokensDependencies) {
    this.#dependencies = dependencies
  }

  async check(token: string | undefined, room: string): Promise<Grant> {
    if (token === undefined) throw new AccessError('denied', 'this server asks for an access token')
    const payload = await this.#verified(token)
    const { rooms, ...grant } = readClaims(payload, this.#dependencies.profileBytes)
    if (!rooms.some((pattern) => fitsPattern(room, pattern))) {
      throw new AccessError('denied', 'the access token is not for this room')
    }
    // Its presence was asked for.
    return { ...grant, expiresAtMs: ((payload.exp ?? 0) + TOLERANCE_S) * 1_000 }
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { keys, audience, issuer, nowMs } = this.#dependencies
    const expected = {
      algorithms: [...keys.algorithms],
      requiredClaims: ['exp'],
      currentDate: new Date(nowMs()),
      clockTolerance: TOLERANCE_S,
      ...(audience.length === 0 ? {} : { audience: [...audience] }),
      ...(issuer.length === 0 ? {} : { issuer: [...issuer] }),
    }
    let refused: unknown
    for (const key of keys.keys) {
      try {
        return (await verify(token, key, expected)).payload
      } catch (error) {
        refused = error
        // Another key may have signed it; whatever else is wrong stays wrong.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break
      }
    }
    throw asAccessError(refused)
  }
}

/** By one key; of a set, when the token does not say which, by each that fits it. */
async function verify(
  token: string,
  key: TokenKeys['keys'][number],
  expected: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  if (typeof key !== 'function') return jwtVerify(token, key, expected)
  try {
    return await jwtVerify(token, key, expected)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const one of error) {
      const verified = await jwtVerify(token, one, expected).catch((why: unknown) => {
        if (!(why instanceof errors.JWSSignatureVerificationFailed)) throw why
      })
      if (verified !== undefined) return verified
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

function asAccessError(error: unknown): AccessError {
  if (error instanceof AccessError) return error
  if (error instanceof errors.JWTExpired) {
    return new AccessError('access-expired', 'the access token has run out', { cause: error })
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new AccessError('denied', `the access token's claim ${error.claim}: ${error.message}`, { cause: error })
  }
  return new AccessError('denied', 'the access token is not one of those that this server accepts', { cause: error })
}
