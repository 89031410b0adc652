/** Long-lived identities: ECDSA P-256 pairs that the application keeps. Imported lazily: most have none. */
import type { SigningKey } from './primitives.ts'

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A new identity, to be kept in IndexedDB: its private key works there and cannot be read. */
export const newIdentity = (subtle: SubtleCrypto = crypto.subtle): Promise<CryptoKeyPair> =>
  subtle.generateKey(SIGNING, false, ['sign', 'verify'])

/** What sealing takes of an identity. Rejects with what WebCrypto says of another kind of key. */
export async function signingKey(
  { publicKey, privateKey }: CryptoKeyPair,
  subtle: SubtleCrypto = crypto.subtle,
): Promise<SigningKey> {
  return {
    publicKey: new Uint8Array(await subtle.exportKey('raw', publicKey)),
    sign: async (data) => new Uint8Array(await subtle.sign(SIGNING, privateKey, data as Uint8Array<ArrayBuffer>)),
  }
}
