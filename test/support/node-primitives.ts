/**
 * The primitives of sealing over node:crypto's synchronous functions: everything resolves after a fixed number of
 * microtasks, and key pairs come from the randomness that is given, so that a simulation can be replayed from its
 * seed. ECDSA signatures alone are not the same twice.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { FillRandom } from '../../signaling/protocol/index.ts'
import type { AgreementKey, Primitives, SigningKey } from '../../web/client/sealing/primitives.ts'

const TAG_BYTES = 16
/** RFC 8410: a raw X25519 key in PKCS #8, and in SubjectPublicKeyInfo. */
const X25519_PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex')
const X25519_PUBLIC = Buffer.from('302a300506032b656e032100', 'hex')
/** RFC 5480: an uncompressed point of P-256 in SubjectPublicKeyInfo. */
const P256_PUBLIC = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

/** A copy without Buffer's methods, and without its pool behind it. */
const plain = (bytes: Uint8Array | ArrayBuffer): Uint8Array => new Uint8Array(bytes)

const x25519Public = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([X25519_PUBLIC, raw]), format: 'der', type: 'spki' })
const p256Public = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([P256_PUBLIC, raw]), format: 'der', type: 'spki' })

function randomScalar(fill: FillRandom): Uint8Array {
  const scalar = new Uint8Array(32)
  fill(scalar)
  // The group's order begins with ffffffff 00000000: below that, and not 0.
  scalar[0] = (scalar[0] ?? 0) & 0x7f
  scalar[31] = (scalar[31] ?? 0) | 1
  return scalar
}

/** From a raw private key of 32 bytes. */
export function x25519Key(secret: Uint8Array): AgreementKey {
  const key = Buffer.concat([X25519_PRIVATE, secret])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
  return {
    publicKey: plain(publicKey),
    agree: async (theirs) => plain(diffieHellman({ privateKey, publicKey: x25519Public(theirs) })),
  }
}

/** From a raw private key of 32 bytes. */
export function p256Key(secret: Uint8Array): AgreementKey {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(secret)
  return { publicKey: plain(ecdh.getPublicKey()), agree: async (theirs) => plain(ecdh.computeSecret(theirs)) }
}

/** From a raw private key of 32 bytes. */
export function p256Signer(secret: Uint8Array): SigningKey {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(secret)
  const point = ecdh.getPublicKey()
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), Buffer.from(secret)].map((part) =>
    part.toString('base64url'),
  )
  const key = createPrivateKey({
    key: { kty: 'EC', crv: 'P-256', x: x as string, y: y as string, d: d as string },
    format: 'jwk',
  })
  return {
    publicKey: plain(point),
    sign: async (data) => plain(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })),
  }
}

export function nodePrimitives(fill: FillRandom): Primitives {
  return {
    x25519: async () => x25519Key(randomScalar(fill)),
    p256: async () => p256Key(randomScalar(fill)),
    signer: async () => p256Signer(randomScalar(fill)),
    verify: async (publicKey, signature, data) => {
      try {
        return verify('sha256', data, { key: p256Public(publicKey), dsaEncoding: 'ieee-p1363' }, signature)
      } catch {
        return false
      }
    },
    hkdf: async (secret, salt, info, bytes) => plain(hkdfSync('sha256', secret, salt, info, bytes)),
    hmac: async (key, data) => plain(createHmac('sha256', key).update(data).digest()),
    sha256: async (data) => plain(createHash('sha256').update(data).digest()),
    cipher: async (key) => ({
      seal: async (nonce, additional, text) => {
        const cipher = createCipheriv('aes-256-gcm', key, nonce)
        cipher.setAAD(additional)
        return plain(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]))
      },
      open: async (nonce, additional, ciphertext) => {
        const end = ciphertext.length - TAG_BYTES
        try {
          const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
          decipher.setAAD(additional)
          decipher.setAuthTag(ciphertext.subarray(end))
          return plain(Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]))
        } catch {
          return undefined
        }
      },
    }),
  }
}
