import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWTVerifyGetKey } from 'jose'

/**
 * The keys that access tokens are signed with, and the algorithms that go with them: a token does not choose its own.
 * Each of `keys` is tried.
 */
export interface TokenKeys {
  readonly algorithms: readonly string[]
  readonly keys: readonly (Uint8Array | KeyObject | JWTVerifyGetKey)[]
}

export const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const EC: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }
export const EC_ALGORITHMS = Object.values(EC)
export const ED25519 = ['EdDSA', 'Ed25519']
const LEAST_RSA_BITS = 2_048

/** HS256. Several, so that a secret can be replaced. */
export function sharedSecrets(secrets: readonly string[]): TokenKeys {
  return { algorithms: ['HS256'], keys: secrets.map((secret) => new TextEncoder().encode(secret)) }
}

function algorithmsOf(key: KeyObject): readonly string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_RSA_BITS) return RSA
  if (type === 'ed25519') return ED25519
  const curve = type === 'ec' ? EC[details?.namedCurve ?? ''] : undefined
  if (curve !== undefined) return [curve]
  throw new Error(`a key of type ${type}; expected RSA of 2048 bits or more, EC P-256, P-384 or P-521, or Ed25519`)
}

/** A public key or certificate. @throws Error that says what is wrong with it */
export function publicKey(pem: string): TokenKeys {
  // It would be taken, and its public half used; but it has no business on this server.
  if (/PRIVATE KEY/.test(pem))
    throw new Error('a private key; give the public one, and keep that where tokens are made')
  const key = createPublicKey(pem)
  return { algorithms: algorithmsOf(key), keys: [key] }
}
