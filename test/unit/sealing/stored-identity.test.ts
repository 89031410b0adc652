import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadIdentity } from '../../../web/client/identity.ts'
import { signingKey } from '../../../web/client/sealing/identity.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'

const publicKey = async (pair: CryptoKeyPair): Promise<string> =>
  Buffer.from(await crypto.subtle.exportKey('raw', pair.publicKey)).toString('hex')

const DATA = Uint8Array.of(1, 2, 3)

/** Whether the two work together as an identity. */
async function signs(pair: CryptoKeyPair): Promise<boolean> {
  const signer = await signingKey(pair)
  return (await webCrypto()?.verify(signer.publicKey, await signer.sign(DATA), DATA)) ?? false
}

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the identity that a browser keeps', () => {
  it('is made the first time, and the same from then on', async () => {
    const first = await loadIdentity()
    const again = await loadIdentity()
    expect(await publicKey(again)).toBe(await publicKey(first))
    expect(await publicKey(await loadIdentity('default'))).toBe(await publicKey(first))
    expect([await signs(first), await signs(again)]).toEqual([true, true])
  })

  it('has a private key that nobody reads', async () => {
    await loadIdentity()
    const { privateKey } = await loadIdentity()
    expect(privateKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow()
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow()
  })

  it('is another for each name', async () => {
    const [ada, bob] = [await loadIdentity('ada'), await loadIdentity('bob')]
    expect(await publicKey(ada)).not.toBe(await publicKey(bob))
    expect(await publicKey(await loadIdentity('ada'))).toBe(await publicKey(ada))
  })

  it('is one, though several tabs ask for it at the same time', async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, () => loadIdentity()))
    const keys = new Set(await Promise.all(pairs.map(publicKey)))
    expect(keys.size).toBe(1)
    expect(await Promise.all(pairs.map(signs))).toEqual(pairs.map(() => true))
    expect(await publicKey(await loadIdentity())).toBe([...keys][0])
  })

  it('leaves the database free: it can be deleted', async () => {
    await loadIdentity()
    const deleted = await new Promise<string>((resolve) => {
      const request = indexedDB.deleteDatabase('partyline')
      request.onsuccess = () => resolve('deleted')
      request.onblocked = () => resolve('blocked')
    })
    expect(deleted).toBe('deleted')
  })
})

describe('where no identity can be had', () => {
  it.each([
    ['there is no IndexedDB', () => vi.stubGlobal('indexedDB', undefined)],
    ['the page is not secure', () => vi.stubGlobal('crypto', { subtle: undefined })],
    [
      'the browser lets this page keep nothing',
      () =>
        vi.stubGlobal('indexedDB', {
          open: () => {
            throw new DOMException('The operation is insecure.', 'SecurityError')
          },
        }),
    ],
    [
      'the database does not open',
      () =>
        vi.stubGlobal('indexedDB', {
          open: () => {
            const request: { onerror?: () => void; error: Error } = { error: new Error('the disk is full') }
            queueMicrotask(() => request.onerror?.())
            return request
          },
        }),
    ],
  ])('that is told: %s', async (_why, stub) => {
    stub()
    await expect(loadIdentity()).rejects.toMatchObject({ name: 'PartylineError', code: 'unsupported' })
  })
})
