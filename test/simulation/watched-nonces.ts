import type { Primitives } from '../../web/client/sealing/primitives.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** Every key and nonce under which anybody of a simulation has sealed. */
export class WatchedNonces {
  readonly #used = new Map<string, Set<string>>()
  /** How often a nonce was used again under its key. */
  repeated = 0

  watch(primitives: Primitives): Primitives {
    return {
      ...primitives,
      cipher: async (key) => {
        const cipher = await primitives.cipher(key)
        const used = this.#noncesOf(text(key))
        return {
          open: cipher.open,
          seal: (nonce, additional, plain) => {
            const name = text(nonce)
            if (used.has(name)) this.repeated += 1
            used.add(name)
            return cipher.seal(nonce, additional, plain)
          },
        }
      },
    }
  }

  #noncesOf(key: string): Set<string> {
    const known = this.#used.get(key)
    if (known !== undefined) return known
    const none = new Set<string>()
    this.#used.set(key, none)
    return none
  }
}
