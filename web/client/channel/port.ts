/**
 * What procedures and offers stand on: a reliable channel of their own, inside the client. Each message reaches its
 * receiver once and in order, or `delivered` says that it was missed.
 */
import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import type { Payload, Sent, Unsubscribe } from '../face.ts'

export interface PortMessage {
  readonly from: PeerId
  readonly data: unknown
  readonly id: string
  readonly sentAtMs: number
  /** False: it was sent to the room. */
  readonly direct?: boolean
}

export interface ReliablePort {
  /** @throws PartylineError `queue-full`, `closed`, `too-large` */
  send(data: Payload, to: PeerId | readonly PeerId[] | undefined): Sent
  /** The first handler gets what waits, too, from each member in order. */
  onMessage(handler: (message: PortMessage) => void): Unsubscribe
  /** Something has come, and waits in the receive buffer, because there is no handler of messages. May repeat itself. */
  onWaiting(handler: () => void): Unsubscribe
  /** A member's link has ended: nothing more comes from it. */
  onLeave(handler: (peer: PeerId) => void): Unsubscribe
}

/** How long to wait when the room's queue is full: some frames have left by then, on any path. */
const RETRY_MS = 50
/** Far above what the limits of procedures and offers let wait here. */
const MOST_WAITING = 8_192

type Receivers = PeerId | readonly PeerId[]

interface Waiting {
  readonly data: Payload
  readonly to: Receivers
  readonly done: (sent: Sent | undefined) => void
}

/** Sends, in order, what cannot be refused to the application any more: it waits here while the room's queue is full. */
export class Outbox {
  readonly #clock: Clock
  readonly #port: ReliablePort
  readonly #waiting: Waiting[] = []
  #timer: TimerHandle | undefined
  #closed = false

  constructor(clock: Clock, port: ReliablePort) {
    this.#clock = clock
    this.#port = port
  }

  /** Resolves once it is sent; with `undefined` when it cannot be: the room is closed, or too much waits. */
  post(data: Payload, to: Receivers): Promise<Sent | undefined> {
    return new Promise((done) => {
      if (this.#closed || this.#waiting.length >= MOST_WAITING) return done(undefined)
      this.#waiting.push({ data, to, done })
      if (this.#timer === undefined) this.#drain()
    })
  }

  /** Sends again to those who were cut off meanwhile and are back: for messages whose repeat does no harm. */
  tell(data: Payload, to: Receivers): void {
    void this.post(data, to).then(async (sent) => {
      const missed = [...((await sent?.delivered)?.missed ?? [])]
      const again = missed.filter(([, reason]) => reason === 'lagging').map(([id]) => id)
      if (again.length > 0) this.tell(data, again)
    })
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    for (const { done } of this.#waiting.splice(0)) done(undefined)
  }

  #drain(): void {
    this.#timer = undefined
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      try {
        first.done(this.#port.send(first.data, first.to))
      } catch (error) {
        if (error instanceof PartylineError && error.code === 'queue-full') {
          this.#waiting.unshift(first)
          this.#timer = this.#clock.setTimeout(() => this.#drain(), RETRY_MS)
          return
        }
        first.done(undefined)
      }
    }
  }
}
