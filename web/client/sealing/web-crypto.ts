import type { AgreementKey, Primitives } from './primitives.ts'

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** None of ours stands in shared memory. */
const source = (bytes: Uint8Array): BufferSource => bytes as Uint8Array<ArrayBuffer>
const read = async (buffer: Promise<ArrayBuffer>): Promise<Uint8Array> => new Uint8Array(await buffer)

/** The primitives of this browser or Node. `undefined` on pages that are not secure (plain http): they have none. */
export function webCrypto(subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle): Primitives | undefined {
  if (subtle === undefined) return undefined

  const agreement = async (algorithm: { name: string; namedCurve?: string }): Promise<AgreementKey> => {
    const { publicKey, privateKey } = (await subtle.generateKey(algorithm, false, ['deriveBits'])) as CryptoKeyPair
    return {
      publicKey: await read(subtle.exportKey('raw', publicKey)),
      agree: async (theirs) => {
        const theirKey = await subtle.importKey('raw', source(theirs), algorithm, false, [])
        return read(subtle.deriveBits({ name: algorithm.name, public: theirKey }, privateKey, 256))
      },
    }
  }

  return {
    x25519: () => agreement({ name: 'X25519' }).catch(() => undefined),
    p256: () => agreement({ name: 'ECDH', namedCurve: 'P-256' }),
    signer: async () => {
      const { newIdentity, signingKey } = await import('./identity.ts')
      return signingKey(await newIdentity(subtle), subtle)
    },
    verify: (publicKey, signature, data) =>
      subtle
        .importKey('raw', source(publicKey), SIGNING, false, ['verify'])
        .then((key) => subtle.verify(SIGNING, key, source(signature), source(data)))
        .catch(() => false),
    hkdf: async (secret, salt, info, bytes) => {
      const key = await subtle.importKey('raw', source(secret), 'HKDF', false, ['deriveBits'])
      const parameters = { name: 'HKDF', hash: 'SHA-256', salt: source(salt), info: source(info) }
      return read(subtle.deriveBits(parameters, key, bytes * 8))
    },
    hmac: async (key, data) => {
      const imported = await subtle.importKey('raw', source(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return read(subtle.sign('HMAC', imported, source(data)))
    },
    sha256: (data) => read(subtle.digest('SHA-256', source(data))),
    cipher: async (bytes) => {
      const key = await subtle.importKey('raw', source(bytes), 'AES-GCM', false, ['encrypt', 'decrypt'])
      const parameters = (nonce: Uint8Array, additional: Uint8Array): AesGcmParams => ({
        name: 'AES-GCM',
        iv: source(nonce),
        additionalData: source(additional),
      })
      return {
        seal: (nonce, additional, plain) => read(subtle.encrypt(parameters(nonce, additional), key, source(plain))),
        open: (nonce, additional, ciphertext) =>
          read(subtle.decrypt(parameters(nonce, additional), key, source(ciphertext))).catch(() => undefined),
      }
    },
  }
}
