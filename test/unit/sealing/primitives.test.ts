import { randomFillSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newIdentity, signingKey } from '../../../web/client/sealing/identity.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'
import { nodePrimitives, p256Key, p256Signer, x25519Key } from '../../support/node-primitives.ts'
import { hex, roomFrame, SealedRoom, unicastFrame } from './sealed-room.ts'

const web = webCrypto()
if (web === undefined) throw new Error('this Node has no WebCrypto')
const node = nodePrimitives((bytes) => randomFillSync(bytes))
const bytes = (length: number, start = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (start + index) % 256)

describe('the primitives of WebCrypto and of node:crypto', () => {
  it('give the same bytes', async () => {
    for (const size of [0, 1, 100, 16_384]) {
      const data = bytes(size)
      expect(hex(await web.sha256(data))).toBe(hex(await node.sha256(data)))
      expect(hex(await web.hmac(bytes(32), data))).toBe(hex(await node.hmac(bytes(32), data)))
      for (const salt of [new Uint8Array(0), bytes(32, 7)]) {
        expect(hex(await web.hkdf(bytes(32), salt, data.subarray(0, 99), 64))).toBe(
          hex(await node.hkdf(bytes(32), salt, data.subarray(0, 99), 64)),
        )
      }
      const [one, other] = [await web.cipher(bytes(32)), await node.cipher(bytes(32))]
      const sealed = await one.seal(bytes(12), bytes(9), data)
      expect(hex(sealed)).toBe(hex(await other.seal(bytes(12), bytes(9), data)))
      expect(await one.open(bytes(12), bytes(9), sealed)).toEqual(data)
      expect(await other.open(bytes(12), bytes(9), sealed)).toEqual(data)
      for (const cipher of [one, other]) {
        expect(await cipher.open(bytes(12), bytes(8), sealed)).toBeUndefined()
        expect(await cipher.open(bytes(12, 1), bytes(9), sealed)).toBeUndefined()
        expect(await cipher.open(bytes(12), bytes(9), sealed.subarray(1))).toBeUndefined()
      }
    }
  })

  it('agree with each other', async () => {
    for (const curve of ['x25519', 'p256'] as const) {
      const [one, other] = [await web[curve](), await node[curve]()]
      if (one === undefined || other === undefined) throw new Error(`no ${curve}`)
      expect(one.publicKey).toHaveLength(curve === 'p256' ? 65 : 32)
      expect(hex(await one.agree(other.publicKey))).toBe(hex(await other.agree(one.publicKey)))
    }
  })

  it('agree as RFC 7748, 6.1, says', async () => {
    const from = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
    const bob = x25519Key(from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'))
    expect(hex(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    const alice = from('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
    expect(hex(await bob.agree(alice))).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  })

  it('refuse what is no public key', async () => {
    const infinity = new Uint8Array(65)
    const offCurve = bytes(65)
    offCurve[0] = 4
    for (const primitives of [web, node]) {
      const p256 = await primitives.p256()
      for (const bad of [infinity, offCurve, bytes(64), new Uint8Array(0)]) {
        await expect(p256.agree(bad)).rejects.toThrow()
        expect(await primitives.verify(bad, bytes(64), bytes(9))).toBe(false)
      }
    }
  })

  it('take each other’s signatures, also those of a kept identity', async () => {
    const data = bytes(100)
    const kept = await signingKey(await newIdentity())
    for (const signer of [await web.signer(), await node.signer(), kept]) {
      const signature = await signer.sign(data)
      expect(signature).toHaveLength(64)
      for (const { verify } of [web, node]) {
        expect(await verify(signer.publicKey, signature, data)).toBe(true)
        expect(await verify(signer.publicKey, signature, data.subarray(1))).toBe(false)
        signature[0] = (signature[0] ?? 0) ^ 1
        expect(await verify(signer.publicKey, signature, data)).toBe(false)
        signature[0] = (signature[0] ?? 0) ^ 1
      }
    }
  })

  it('keep private keys to themselves', async () => {
    expect((await newIdentity()).privateKey.extractable).toBe(false)
  })

  it('are missing on a page that is not secure', () => {
    const { crypto } = globalThis
    Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true })
    try {
      expect(webCrypto()).toBeUndefined()
    } finally {
      Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true })
    }
  })

  it('come from their secret alone in a simulation', () => {
    expect(hex(p256Key(bytes(32, 1)).publicKey)).toBe(hex(p256Signer(bytes(32, 1)).publicKey))
    expect(hex(x25519Key(bytes(32)).publicKey)).toBe('8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f')
  })

  it('seal and open for each other', async () => {
    const room = new SealedRoom()
    const [one, other] = [await room.join(), await room.join({}, undefined, () => web)]
    for (const frame of [roomFrame(1), unicastFrame(2)]) {
      expect(await room.send(one, [other], frame)).toEqual([[frame]])
      expect(await room.send(other, [one], frame)).toEqual([[frame]])
    }
    expect(await one.sealing.safetyNumber(other.id)).toBe(await other.sealing.safetyNumber(one.id))
  })
})
