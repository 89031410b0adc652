import { PartylineError } from './errors.ts'
import { base64url } from './sealing/octets.ts'

const orUnsupported = (cause: unknown): never => {
  throw new PartylineError('unsupported', `No identity can be had here: ${cause}`, { cause })
}

/** A secret for `joinRoom`: 128 random bits as base64url. */
export const newSecret = (): string => base64url(crypto.getRandomValues(new Uint8Array(16)))

/**
 * A new identity for `joinRoom`, which the application keeps (structured clone takes it, JSON does not). Its private
 * key cannot be read. Rejects with PartylineError `unsupported`: a page that is not secure has none.
 */
export const createIdentity = (): Promise<CryptoKeyPair> =>
  import('./sealing/identity.ts').then(({ newIdentity }) => newIdentity()).catch(orUnsupported)

/**
 * The identity that this browser keeps under a name, made when there is none: one for each of a person's browsers.
 * Rejects with PartylineError `unsupported` where there is no IndexedDB, or the page is not secure.
 */
export const loadIdentity = (name = 'default'): Promise<CryptoKeyPair> =>
  import('./identity-store.ts').then(({ storedIdentity }) => storedIdentity(name)).catch(orUnsupported)
