/** Identities that this browser keeps, by name, in IndexedDB: the private keys work there and cannot be read. */
import { newIdentity } from './sealing/identity.ts'

const DATABASE = 'partyline'
const STORE = 'identities'

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return settled(request)
}

/** The one of this name; made when there is none. Of two tabs that make it at the same time, both get the first's. */
export async function storedIdentity(name: string): Promise<CryptoKeyPair> {
  const database = await open()
  const store = (mode: IDBTransactionMode): IDBObjectStore => database.transaction(STORE, mode).objectStore(STORE)
  const read = (): Promise<CryptoKeyPair | undefined> => settled(store('readonly').get(name))
  try {
    const known = await read()
    if (known !== undefined) return known
    const made = await newIdentity()
    // Fails where there is one by now.
    await settled(store('readwrite').add(made, name)).catch(() => undefined)
    return (await read()) ?? made
  } finally {
    database.close()
  }
}
