/**
 * The identity that this browser keeps, if its person wants one. Its name stands in localStorage, so that who has none
 * does not wait for a database. To forget it is to forget the name: the key behind it, which nobody can read, is never
 * asked for again.
 */
import { loadIdentity, newSecret } from 'partyline'
import { recall, remember } from './remembered.ts'

export const canKeepIdentity = (): boolean =>
  globalThis.crypto?.subtle !== undefined && globalThis.indexedDB !== undefined

/** `undefined` when none is kept. Rejects when the browser does not give it back. */
export async function keptIdentity(): Promise<CryptoKeyPair | undefined> {
  const name = recall('identity')
  return name === undefined || !canKeepIdentity() ? undefined : loadIdentity(name)
}

/** Makes one and keeps it. Rejects when the browser refuses, as private windows may. */
export async function keepIdentity(): Promise<CryptoKeyPair> {
  const name = newSecret()
  const pair = await loadIdentity(name)
  remember('identity', name)
  return pair
}

export const forgetIdentity = (): void => remember('identity', undefined)
