import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../clock.ts'
import { AccessError } from './access-error.ts'
import { EC_ALGORITHMS, ED25519, RSA, type TokenKeys } from './token-keys.ts'

export interface KeySetDependencies {
  /** Its `nowMs` may count from anywhere, but must not jump. */
  readonly clock: Clock
  /** As the platform's. */
  readonly fetch: typeof fetch
  /** The keys could not be had; those of before are used, if there are any. */
  failed(error: unknown): void
}

/** Keys that are older are asked for again. */
const STALE_MS = 600_000
/** From one question to the next, once there are keys. */
const COOL_DOWN_MS = 30_000
/** An address that answers, answers within this; a key that was withdrawn is then refused at once. */
const PATIENCE_MS = 500
/** jose knows neither age nor cooling down then: it loads when it is told to. */
const BY_HAND = { cacheMaxAge: Number.POSITIVE_INFINITY, cooldownDuration: Number.POSITIVE_INFINITY }

/** What is wrong with the token, and not with the keys. */
const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported

/** What the address said: nothing when it gave keys, else what went wrong. */
type Answer = { readonly error: unknown } | undefined

/**
 * Keys at an address: fetched when they are first needed, when they are 10 minutes old, and for an unknown key; at
 * most every 30 s, however the address answers. A token that does not name its key cannot be told from one of an unknown
 * key: for those, keys are good for 30 s. Whoever comes with a known key waits half a second at most for that, and then
 * the keys of before are good.
 */
export function keySet(url: URL, dependencies: KeySetDependencies): TokenKeys {
  const keys = new KeySet(url, dependencies)
  return {
    algorithms: [...RSA, ...EC_ALGORITHMS, ...ED25519],
    keys: [(header, token) => keys.find(header, token)],
  }
}

class KeySet {
  readonly #dependencies: KeySetDependencies
  readonly #remote: ReturnType<typeof createRemoteJWKSet>
  /** When the keys came that are known; undefined: none are. */
  #loadedAtMs: number | undefined
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** The question under way. */
  #answer: Promise<Answer> | undefined
  /** That, or the end of patience with it. */
  #awhile: Promise<unknown> | undefined

  constructor(url: URL, dependencies: KeySetDependencies) {
    this.#dependencies = dependencies
    this.#remote = createRemoteJWKSet(url, { ...BY_HAND, [customFetch]: dependencies.fetch })
  }

  readonly find: JWTVerifyGetKey = async (header, token) => {
    const staleMs = header?.kid === undefined ? COOL_DOWN_MS : STALE_MS
    if (this.#loadedAtMs === undefined) await this.#first()
    else if (this.#nowMs() - this.#loadedAtMs >= staleMs && this.#mayAsk()) {
      void this.#ask()
      await this.#awhile
    }
    try {
      return await this.#remote(header, token)
    } catch (error) {
      if (!isOfToken(error)) this.#dependencies.failed(error)
      if (!(error instanceof errors.JWKSNoMatchingKey && this.#mayAsk())) throw error
      await this.#ask()
      return this.#remote(header, token)
    }
  }

  /** Without any key nobody gets in: there is no cooling down. */
  async #first(): Promise<void> {
    const answer = await this.#ask()
    if (answer === undefined) return
    throw new AccessError('unavailable', 'the keys of access tokens cannot be had now', { cause: answer.error })
  }

  #nowMs(): number {
    return this.#dependencies.clock.nowMs()
  }

  #mayAsk(): boolean {
    return this.#answer !== undefined || this.#nowMs() - this.#askedAtMs >= COOL_DOWN_MS
  }

  /** One question at a time: those who come meanwhile share its answer. Never rejects. */
  #ask(): Promise<Answer> {
    if (this.#answer !== undefined) return this.#answer
    const { clock } = this.#dependencies
    this.#askedAtMs = this.#nowMs()
    const answer = this.#load()
    this.#answer = answer
    this.#awhile = new Promise<void>((resolve) => {
      const patience = clock.setTimeout(resolve, PATIENCE_MS)
      void answer.then(() => {
        clock.clearTimeout(patience)
        resolve()
      })
    })
    return answer
  }

  async #load(): Promise<Answer> {
    try {
      await this.#remote.reload()
      this.#loadedAtMs = this.#nowMs()
      return undefined
    } catch (error) {
      this.#dependencies.failed(error)
      return { error }
    } finally {
      this.#answer = undefined
    }
  }
}
