import type { AccessInfo } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import type { AccessToken } from '../face.ts'

/** A token is replaced with the first renewal after this share of its time: that comes at three quarters. */
const DUE_AT = 0.7

/** The access token, as the application gives it. */
export class Access {
  /** What joins bring. */
  token: string | undefined
  readonly #given: AccessToken | undefined
  readonly #clock: Clock
  #dueAtMs: number

  constructor(given: AccessToken | undefined, clock: Clock) {
    this.#given = given
    this.#clock = clock
    this.token = typeof given === 'string' ? given : undefined
    this.#dueAtMs = this.renewable ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  /** The application can give another. */
  get renewable(): boolean {
    return typeof this.#given === 'function'
  }

  /** It is time for another. */
  get due(): boolean {
    return this.#clock.now() >= this.#dueAtMs
  }

  /** What the server says of it. `serverMs`: its clock now. */
  take(info: AccessInfo | undefined, serverMs: number): void {
    if (this.renewable && info?.expiresAtMs !== undefined) {
      this.#dueAtMs = this.#clock.now() + (info.expiresAtMs - serverMs) * DUE_AT
    }
  }

  /** It is over, or about to be. Says whether there can be another. */
  expire(): boolean {
    if (this.renewable) this.#dueAtMs = Number.NEGATIVE_INFINITY
    return this.renewable
  }

  /** Ask the application for another. Rejects when it has none. */
  async fetch(): Promise<string | undefined> {
    if (typeof this.#given === 'function') {
      this.token = await this.#given()
      this.#dueAtMs = Number.POSITIVE_INFINITY
    }
    return this.token
  }
}
