/**
 * The identity that this browser keeps, if its person wants one: a key pair in IndexedDB, whose private key no script can
 * read. localStorage says whether there is one, so that who has none does not wait for the database.
 */
import { recall, remember } from './remembered.ts'

const DATABASE = 'partyline'
const STORE = 'identities'
const KEY = 'default'
const KIND = Object.freeze({ name: 'ECDSA', namedCurve: 'P-256' })

export const canKeepIdentity = (): boolean =>
  globalThis.crypto?.subtle !== undefined && globalThis.indexedDB !== undefined

export const keepsIdentity = (): boolean => recall('identity') === 'kept'

/** `undefined` when none is kept. Rejects when the browser does not give it back. */
export async function keptIdentity(): Promise<CryptoKeyPair | undefined> {
  if (!keepsIdentity() || !canKeepIdentity()) return undefined
  const found = await inStore('readonly', (store) => store.get(KEY))
  return isKeyPair(found) ? found : undefined
}

/** Makes one and keeps it. Rejects when the browser refuses, as private windows may. */
export async function keepIdentity(): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(KIND, false, ['sign', 'verify'])
  await inStore('readwrite', (store) => store.put(pair, KEY))
  remember('identity', 'kept')
  return pair
}

/** For good: nobody can be this identity again. */
export async function forgetIdentity(): Promise<void> {
  remember('identity', undefined)
  await inStore('readwrite', (store) => store.delete(KEY))
}

const isKeyPair = (found: unknown): found is CryptoKeyPair =>
  typeof found === 'object' && found !== null && 'privateKey' in found && found.privateKey instanceof CryptoKey

async function inStore(mode: IDBTransactionMode, does: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1)
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE)
  const database = (await outcome(opening)) as IDBDatabase
  try {
    return await outcome(does(database.transaction(STORE, mode).objectStore(STORE)))
  } finally {
    database.close()
  }
}

const outcome = (request: IDBRequest): Promise<unknown> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
