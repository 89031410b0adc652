import type { IceServer, ServerMessage } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'

/** Older ones are asked for anew before a connection attempt, which waits at most `WAIT_MS` for them. */
const FRESH_MS = 240_000
const WAIT_MS = 2_000
/** They are renewed when this share of their time has passed, with bounds for odd servers. */
const RENEW_AT = 0.75
const SOONEST_MS = 10_000
const LATEST_MS = 43_200_000

export type Granted = Pick<
  Extract<ServerMessage, { readonly t: 'renewed' }>,
  'token' | 'tokenExpiresAtMs' | 'iceServers' | 'iceExpiresAtMs' | 'access'
>

/** What the server lends for a time: the session token, and credentials for TURN. In memory only. */
export class Credentials {
  /** `undefined` when there is none, or the session is over. */
  token: string | undefined
  iceServers: readonly IceServer[] = []
  readonly #clock: Clock
  readonly #renew: () => Promise<void>
  #grantedAtMs = 0
  #timer: TimerHandle | undefined

  /** `renew` asks the server; what comes of it goes to `take`. */
  constructor(clock: Clock, renew: () => Promise<void>) {
    this.#clock = clock
    this.#renew = renew
  }

  /** `serverMs`: the server's clock now. `withAccess`: the access token is renewed along. */
  take(granted: Granted, serverMs: number, withAccess = false): void {
    this.token = granted.token
    this.iceServers = granted.iceServers
    this.#grantedAtMs = this.#clock.now()
    const lent = granted.iceServers.some(({ credential }) => credential !== undefined)
    const endsAtMs = Math.min(
      granted.tokenExpiresAtMs,
      lent ? granted.iceExpiresAtMs : Number.POSITIVE_INFINITY,
      (withAccess ? granted.access?.expiresAtMs : undefined) ?? Number.POSITIVE_INFINITY,
    )
    this.#renewIn((endsAtMs - serverMs) * RENEW_AT)
  }

  /** Not online: the next welcome brings new ones. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Some minutes old at most, or else, after 2 s, those at hand. */
  async fresh(): Promise<readonly IceServer[]> {
    // A timer runs exactly while online.
    if (this.#timer !== undefined && this.#clock.now() - this.#grantedAtMs > FRESH_MS) {
      await new Promise<void>((resolve) => {
        const patience = this.#clock.setTimeout(resolve, WAIT_MS)
        const done = (): void => {
          this.#clock.clearTimeout(patience)
          resolve()
        }
        this.#renew().then(done, done)
      })
    }
    return this.iceServers
  }

  #renewIn(delayMs: number): void {
    this.stop()
    const run = (): void => {
      this.#renewIn(SOONEST_MS)
      // When it fails, that timer asks again; when it succeeds, `take` sets another.
      this.#renew().catch(() => undefined)
    }
    this.#timer = this.#clock.setTimeout(run, Math.min(LATEST_MS, Math.max(SOONEST_MS, delayMs)))
  }
}
