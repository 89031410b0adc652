import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'

export interface Answer {
  readonly status: number
  readonly body: object
}

interface Remembered {
  readonly digest: string
  readonly answer: Answer | Promise<Answer>
  readonly untilMs: number
}

/** Longer than a backend tries again; together with the next at most some 10 MB. */
const REMEMBER_MS = 3_600_000
const MOST_REMEMBERED = 10_000
const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Answers to requests with an `Idempotency-Key`, so that a request that is sent again, because its answer was lost, is
 * not carried out again. In memory: a server that has restarted has forgotten them, and so has one that got 10,000 more.
 */
export class Idempotency {
  readonly #nowMs: () => number
  readonly #remembered = new Map<string, Remembered>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get size(): number {
    return this.#remembered.size
  }

  /**
   * The answer of before, or what `run` gives now. `what` is the method and path. What throws, or rejects, is not
   * remembered: it did nothing. What comes again while it runs gets the same answer. @throws ApiError for a key that is none, or that came with another body, and what `run` throws
   */
  once(
    key: string,
    what: string,
    body: Uint8Array,
    run: () => Answer | Promise<Answer>,
  ): { readonly answer: Answer | Promise<Answer>; readonly again: boolean } {
    if (!KEY.test(key)) {
      throw new ApiError(
        'bad-request',
        'Idempotency-Key: expected 1 to 255 visible ASCII characters',
        'Idempotency-Key',
      )
    }
    const name = `${what} ${key}`
    const digest = createHash('sha256').update(body).digest('base64')
    const known = this.#remembered.get(name)
    const nowMs = this.#nowMs()
    if (known !== undefined && known.untilMs > nowMs) {
      if (known.digest !== digest) {
        const message = 'this Idempotency-Key came with another body before: use a new key for a new request'
        throw new ApiError('idempotency-key-reused', message, 'Idempotency-Key')
      }
      return { answer: known.answer, again: true }
    }
    const answer = run()
    this.#remembered.delete(name)
    this.#remembered.set(name, { digest, answer, untilMs: nowMs + REMEMBER_MS })
    if (answer instanceof Promise) answer.catch(() => this.#remembered.delete(name))
    this.#forget(nowMs)
    return { answer, again: false }
  }

  /** The oldest come first, and run out first. */
  #forget(nowMs: number): void {
    for (const [name, { untilMs }] of this.#remembered) {
      if (untilMs > nowMs && this.#remembered.size <= MOST_REMEMBERED) return
      this.#remembered.delete(name)
    }
  }
}
