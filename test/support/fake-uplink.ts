import type { SendResult, Uplink, UplinkHandlers } from '../../signaling/uplink.ts'

/** An uplink without a network: what the hub sends lands in `delivered`, or in a queue while `stall()` holds. */
export class FakeUplink implements Uplink {
  readonly carrier = 'websocket'
  /** What the client has got, in order; bytes are copies. */
  readonly delivered: (string | Uint8Array)[] = []
  closedWith: { readonly code: number; readonly reason: string } | undefined
  paused = false
  #handlers: UplinkHandlers | undefined
  #stalled = false
  #gone = false
  #queue: (string | Uint8Array)[] = []

  constructor(readonly address = '192.0.2.1') {}

  /** What the hub answered `accept` with. */
  attach(handlers: UplinkHandlers): void {
    this.#handlers = handlers
  }

  get queue(): readonly (string | Uint8Array)[] {
    return this.#queue
  }

  send(message: string | Uint8Array): SendResult {
    if (this.#gone || this.closedWith !== undefined) return 'closed'
    // As a carrier does, it takes the bytes before it returns: the hub's are only lent.
    const kept = typeof message === 'string' ? message : message.slice()
    if (!this.#stalled) {
      this.delivered.push(kept)
      return 'sent'
    }
    this.#queue.push(kept)
    return 'queued'
  }

  queuedBytes(): number {
    return this.#queue.reduce((sum, message) => sum + message.length, 0)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason }
  }

  /** The client stops reading. */
  stall(): void {
    this.#stalled = true
  }

  /** The client reads again: everything queued arrives. */
  drain(): void {
    this.#stalled = false
    this.delivered.push(...this.#queue)
    this.#queue = []
    this.#handlers?.drained()
  }

  /** The client reads one queued message and no more. */
  drainOne(): void {
    this.delivered.push(...this.#queue.splice(0, 1))
    if (this.#queue.length === 0) this.#handlers?.drained()
  }

  receive(message: string | Uint8Array): void {
    if (this.#gone) return
    if (typeof message === 'string') {
      this.#handlers?.text(message)
      return
    }
    const lent = message.slice()
    this.#handlers?.binary(lent)
    // Whoever kept the bytes instead of copying them sees rubbish.
    lent.fill(0xee)
  }

  /** The connection breaks, or ends after a close. */
  drop(): void {
    if (this.#gone) return
    this.#gone = true
    this.#handlers?.closed()
  }
}
