import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const BEARER = /^Bearer +(\S{1,512})$/i

/** The keys of `--api-key`: whoever has one may administer the server. They can be replaced while it runs. */
export class ApiKeys {
  #digests: readonly Buffer[]

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest)
  }

  /** False when the server has no key: then nobody is let in. */
  get configured(): boolean {
    return this.#digests.length > 0
  }

  replace(keys: readonly string[]): void {
    this.#digests = keys.map(digest)
  }

  /** Whether an `Authorization` header carries one of them, as `Bearer KEY`. The time taken tells nothing of the keys. */
  accepts(authorization: string | undefined): boolean {
    const given = BEARER.exec(authorization ?? '')?.[1]
    if (given === undefined) return false
    const asked = digest(given)
    let known = false
    for (const one of this.#digests) known = timingSafeEqual(one, asked) || known
    return known
  }
}
