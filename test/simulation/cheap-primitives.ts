/**
 * Stands in for cryptography in most seeds, at a tenth of its price. Nothing of it is secret, but what sealing relies
 * on holds: a record opens under the same key, nonce, head and text, and no other; a changed byte anywhere is noticed;
 * both sides of an agreement come to the same, and nobody else does by accident. Events happen in the order in which
 * they happen over `nodePrimitives`, and as much is drawn from the randomness: a seed has the same trace over both.
 */
import { crc32 } from 'node:zlib'
import type { FillRandom } from '../../signaling/protocol/index.ts'
import type { AgreementKey, CipherKey, Primitives } from '../../web/client/sealing/primitives.ts'
import { nodePrimitives } from '../support/node-primitives.ts'

const TAG_BYTES = 16
const SECRET_BYTES = 32
/** So much of a text cannot be read in what is sealed: the heads of whatever it may be. Of the rest there is a checksum. */
const HIDDEN_BYTES = 256

/** 64 bits over everything that was put in, and as many bytes from them as are asked for. Not for adversaries. */
class Digest {
  #a: number
  #b: number

  constructor(a: number, b = ~a) {
    this.#a = a
    this.#b = b
  }

  /** To begin with the same more than once. */
  copy(): Digest {
    return new Digest(this.#a, this.#b)
  }

  word(word: number): this {
    this.#a = Math.imul(this.#a ^ word, 0x9e3779b1)
    this.#a ^= this.#a >>> 15
    this.#b = Math.imul((this.#b << 13) ^ (this.#b >>> 19) ^ word, 0x85ebca77)
    return this
  }

  bytes(bytes: Uint8Array): this {
    const { length } = bytes
    this.word(length)
    let at = 0
    if (length >= 4) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, length)
      for (; at + 4 <= length; at += 4) this.word(view.getInt32(at, true))
    }
    for (; at < length; at += 1) this.word(bytes[at] as number)
    return this
  }

  /** Fills from `start` on. */
  fill(bytes: Uint8Array, start = 0): Uint8Array {
    for (let at = start; at < bytes.length; at += 4) {
      const word = this.word(at - start).#a ^ this.#b
      for (let index = at; index < at + 4 && index < bytes.length; index += 1) {
        bytes[index] = word >>> (8 * (index - at))
      }
    }
    return bytes
  }
}

const PURPOSE = Object.freeze({ public: 1, shared: 2, hkdf: 3, hmac: 4, sha256: 5, stream: 6, tag: 7 })

/** Squares of what is below are exact. */
const PRIME = 67_108_859

function power(base: number, exponent: number): number {
  let [result, square] = [1, base % PRIME]
  for (let left = exponent; left > 0; left >>>= 1) {
    if ((left & 1) === 1) result = (result * square) % PRIME
    square = (square * square) % PRIME
  }
  return result
}

/** Diffie and Hellman's agreement, over numbers so small that it is soon done, twice. */
function agreementKey(fill: FillRandom, head: readonly number[], length: number): AgreementKey {
  const secret = new Uint8Array(SECRET_BYTES)
  fill(secret)
  const view = new DataView(secret.buffer)
  const exponents = [view.getUint32(0) >>> 6, view.getUint32(4) >>> 6] as const
  const publicKeyOf = (one: number, other: number): Uint8Array => {
    const key = new Uint8Array(length)
    key.set(head)
    const words = new DataView(key.buffer, head.length)
    words.setUint32(0, one)
    words.setUint32(4, other)
    return new Digest(PURPOSE.public)
      .word(one)
      .word(other)
      .fill(key, head.length + 8)
  }
  return {
    publicKey: publicKeyOf(power(2, exponents[0]), power(2, exponents[1])),
    agree: async (theirs) => {
      if (theirs.length !== length) throw new RangeError('no public key: its length')
      const words = new DataView(theirs.buffer, theirs.byteOffset + head.length)
      const [one, other] = [words.getUint32(0), words.getUint32(4)]
      if (Buffer.compare(publicKeyOf(one, other), theirs) !== 0) throw new RangeError('no public key: its bytes')
      const shared = new Digest(PURPOSE.shared).word(power(one, exponents[0])).word(power(other, exponents[1]))
      return shared.fill(new Uint8Array(SECRET_BYTES))
    },
  }
}

/** `from` with a stream of words over its beginning: there, or back. */
function hide(from: Uint8Array, to: Uint8Array, length: number, stream: number): void {
  to.set(from.subarray(0, length))
  const target = new DataView(to.buffer, to.byteOffset, Math.min(length, HIDDEN_BYTES))
  let word = stream
  let at = 0
  for (; at + 4 <= target.byteLength; at += 4) {
    target.setInt32(at, target.getInt32(at, true) ^ word, true)
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0
  }
  for (; at < target.byteLength; at += 1) target.setUint8(at, target.getUint8(at) ^ (word >>> 24))
}

function cipherKey(key: Uint8Array): CipherKey {
  const [streams, tags] = [PURPOSE.stream, PURPOSE.tag].map((purpose) => new Digest(purpose).bytes(key)) as [
    Digest,
    Digest,
  ]
  const streamOf = (nonce: Uint8Array): number => {
    const word = streams.copy().bytes(nonce).fill(new Uint8Array(4))
    return new DataView(word.buffer).getInt32(0)
  }
  const tagOf = (nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array => {
    const digest = tags.copy().bytes(nonce).bytes(additional)
    if (plain.length <= HIDDEN_BYTES) digest.bytes(plain)
    else digest.word(plain.length).word(crc32(plain))
    return digest.fill(new Uint8Array(TAG_BYTES))
  }
  return {
    seal: async (nonce, additional, plain) => {
      const sealed = new Uint8Array(plain.length + TAG_BYTES)
      hide(plain, sealed, plain.length, streamOf(nonce))
      sealed.set(tagOf(nonce, additional, plain), plain.length)
      return sealed
    },
    open: async (nonce, additional, ciphertext) => {
      const length = ciphertext.length - TAG_BYTES
      if (length < 0) return undefined
      const plain = new Uint8Array(length)
      hide(ciphertext, plain, length, streamOf(nonce))
      const isGood = Buffer.compare(tagOf(nonce, additional, plain), ciphertext.subarray(length)) === 0
      return isGood ? plain : undefined
    },
  }
}

/** Signatures are real: schedules have none. */
export function cheapPrimitives(fill: FillRandom): Primitives {
  const { signer, verify } = nodePrimitives(fill)
  const digest = (purpose: number, bytes: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const all = new Digest(purpose)
    for (const part of parts) all.bytes(part)
    return all.fill(new Uint8Array(bytes))
  }
  return {
    x25519: async () => agreementKey(fill, [], 32),
    // As an uncompressed point begins.
    p256: async () => agreementKey(fill, [4], 65),
    signer,
    verify,
    hkdf: async (secret, salt, info, bytes) => digest(PURPOSE.hkdf, bytes, secret, salt, info),
    hmac: async (key, data) => digest(PURPOSE.hmac, 32, key, data),
    sha256: async (data) => digest(PURPOSE.sha256, 32, data),
    cipher: async (key) => cipherKey(key),
  }
}
