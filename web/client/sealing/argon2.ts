/** A chunk of its own: only those who type a password need it. */
import { argon2idAsync } from '@noble/hashes/argon2.js'

/** OWASP's parameters: 19 MiB, two passes, one lane. All members of a room must use the same. */
const PARAMETERS = { m: 19_456, t: 2, p: 1, dkLen: 32 }

/** Lets the page go on every 10 ms. */
export const argon2id = (password: Uint8Array, salt: Uint8Array): Promise<Uint8Array> =>
  argon2idAsync(password, salt, PARAMETERS)
