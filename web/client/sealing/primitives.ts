/**
 * What sealing takes from a library of cryptography: standard parts only, in the forms of SEALING.md, "Conventions".
 * web-crypto.ts is the one that pages and Node use; a simulation brings another whose order of events it owns.
 */

/** A fresh ECDH key pair; its private key cannot be read. */
export interface AgreementKey {
  /** X25519: 32 bytes. P-256: 65 bytes, an uncompressed point. */
  readonly publicKey: Uint8Array
  /** 32 bytes shared with the owner of `theirs`. Rejects when that is no public key, or nothing secret comes of it. */
  agree(theirs: Uint8Array): Promise<Uint8Array>
}

/** An ECDSA P-256 key pair. */
export interface SigningKey {
  /** 65 bytes, an uncompressed point. */
  readonly publicKey: Uint8Array
  /** 64 bytes, r ‖ s. */
  sign(data: Uint8Array): Promise<Uint8Array>
}

/** An AES-256-GCM key. */
export interface CipherKey {
  /** The ciphertext with its tag of 16 bytes. */
  seal(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Promise<Uint8Array>
  /** `undefined`: it was not sealed under this key with this nonce and additional data. */
  open(nonce: Uint8Array, additional: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array | undefined>
}

export interface Primitives {
  /** `undefined` where X25519 is missing. */
  x25519(): Promise<AgreementKey | undefined>
  p256(): Promise<AgreementKey>
  signer(): Promise<SigningKey>
  /** False also when `publicKey` is no point. */
  verify(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean>
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Promise<Uint8Array>
  hmac(key: Uint8Array, data: Uint8Array): Promise<Uint8Array>
  sha256(data: Uint8Array): Promise<Uint8Array>
  /** From 32 bytes. */
  cipher(key: Uint8Array): Promise<CipherKey>
}
