/** The part of independent.ts that is about the fresh keys of an instance. */
import { createECDH, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { type Announced, Refusal, rawX25519, x25519Key } from './independent-announcement.ts'

export interface OwnCurves {
  readonly p256: Buffer
  readonly x25519?: Buffer
  /** On the curve that the two use. Throws a {@link Refusal}. */
  agree(theirs: Announced): Buffer
}

export function makeCurves(hasX25519: boolean): OwnCurves {
  const p256 = createECDH('prime256v1')
  const point = p256.generateKeys()
  const pair = hasX25519 ? generateKeyPairSync('x25519') : undefined
  return {
    p256: point,
    ...(pair && { x25519: rawX25519(pair.publicKey) }),
    agree: (theirs) => {
      try {
        if (pair === undefined || theirs.x25519 === undefined) return p256.computeSecret(theirs.p256)
        // It refuses a result of all zeros.
        return diffieHellman({ privateKey: pair.privateKey, publicKey: x25519Key(theirs.x25519) })
      } catch {
        throw new Refusal('seal-mismatch')
      }
    },
  }
}
