import type { BrowserContext } from 'playwright'

/** What a browser says by itself, in pages that do nothing wrong, when a server is not there. */
const UNREACHABLE = /WebSocket connection to .* failed|net::ERR_CONNECTION_(?:REFUSED|RESET)/

/** And when a proxy refuses or cuts what goes to carriers. */
const CARRIER = /WebSocket connection to .* failed|Failed to load resource: .*\/uplink/

/** What it says of a WebSocket that did not open for 1.5 s, when another carrier did: this machine stood still. */
const LATE = /WebSocket is closed before the connection is established/

/** And then, when the server hears the join in that WebSocket all the same: it takes the place of the other carrier. */
const TAKEN_OVER = /status of 410 .*\/uplink\//
/** What comes and what goes. */
const REQUESTS = 2

/** Everything that pages ought not to say: errors, rejections nobody handled, breaches of the content security policy. */
export class Troubles {
  readonly #found: string[] = []
  #serverMayBeGone = false
  #carriersMayFail = false
  /** So many requests may yet be told that another uplink took over. */
  #takenOver = 0

  /** From now on, browsers may complain that they do not reach the server. */
  allowServerLoss(): void {
    this.#serverMayBeGone = true
  }

  /** The same of carriers that a proxy does not let through. */
  allowCarrierLoss(): void {
    this.#carriersMayFail = true
  }

  /** What was found since the last call. */
  take(): string[] {
    return this.#found.splice(0)
  }

  add(trouble: string): void {
    if (this.#serverMayBeGone && UNREACHABLE.test(trouble)) return
    if (this.#carriersMayFail && CARRIER.test(trouble)) return
    if (LATE.test(trouble)) {
      this.#takenOver += REQUESTS
      return
    }
    if (this.#takenOver > 0 && TAKEN_OVER.test(trouble)) {
      this.#takenOver -= 1
      return
    }
    this.#found.push(trouble)
  }

  async watch(context: BrowserContext, who: string): Promise<void> {
    context.on('weberror', (error) => this.add(`${who}: ${error.error().stack ?? error.error().message}`))
    context.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return
      this.add(`${who}: ${message.type()} ${message.text()} (${message.location().url})`)
    })
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error(`content security policy: ${violatedDirective} ${blockedURI}`),
      )
      addEventListener('unhandledrejection', ({ reason }) => console.error(`unhandled rejection: ${String(reason)}`))
    })
  }
}
