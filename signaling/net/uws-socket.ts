import type { WebSocket } from 'uWebSockets.js'
import { CLOSE } from '../protocol/errors.ts'
import type { SendResult } from '../uplink.ts'
import type { Socket, SocketHandlers } from './network.ts'

export interface UwsUserData {
  readonly accept: (socket: Socket) => SocketHandlers
  connection?: UwsConnection
}

interface Held {
  readonly message: string | Uint8Array
}

/** What the server closes with is told to the peer in the close frame; the socket itself is closed on the peer's answer. */
export interface UwsSocketLimits {
  readonly maxQueuedBytes: number
  readonly maxHeldBytes: number
}

type State = 'open' | 'closing' | 'closed'

/**
 * One connection on uWebSockets.js. Its `ws` may not be touched after it has closed, and it cannot stop reading: a
 * paused connection's messages are copied and held, up to a bound.
 */
export class UwsConnection implements Socket {
  readonly #ws: WebSocket<UwsUserData>
  readonly #limits: UwsSocketLimits
  #handlers: SocketHandlers | undefined
  #state: State = 'open'
  #awaitingDrain = false
  #paused = false
  #releasing = false
  #held: Held[] = []
  #heldBytes = 0

  constructor(ws: WebSocket<UwsUserData>, limits: UwsSocketLimits) {
    this.#ws = ws
    this.#limits = limits
  }

  attach(handlers: SocketHandlers): void {
    this.#handlers = handlers
  }

  send(message: string | Uint8Array): SendResult {
    if (this.#state !== 'open') return 'dropped'
    const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length
    const queued = this.#ws.getBufferedAmount()
    if (queued > 0 && queued + bytes > this.#limits.maxQueuedBytes) {
      this.#awaitingDrain = true
      return 'dropped'
    }
    const status = this.#ws.send(message, typeof message !== 'string', false)
    if (status === 1) return 'sent'
    this.#awaitingDrain = true
    return status === 0 ? 'queued' : 'dropped'
  }

  queuedBytes(): number {
    return this.#state === 'open' ? this.#ws.getBufferedAmount() : 0
  }

  ping(): void {
    // Behind a queue a ping proves nothing sooner than the queue's own draining does.
    if (this.#state === 'open' && this.#ws.getBufferedAmount() === 0) this.#ws.ping()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#held.length > 0 && !this.#releasing) setImmediate(() => this.#release())
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#ws.end(code, reason)
  }

  terminate(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#ws.close()
  }

  onMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (this.#state !== 'open') return
    if (this.#paused || this.#held.length > 0) {
      this.#hold(message, isBinary)
      return
    }
    this.#deliver(isBinary ? new Uint8Array(message) : Buffer.from(message).toString('utf8'))
  }

  onHeard(): void {
    this.#handlers?.heard()
  }

  onDrain(): void {
    if (this.#state !== 'open') return
    this.#handlers?.heard()
    if (!this.#awaitingDrain || this.#ws.getBufferedAmount() > 0) return
    this.#awaitingDrain = false
    this.#handlers?.drained()
  }

  /** uWebSockets.js calls this inside `end` and `close`; what is above is told in a turn of its own. */
  onClose(code: number): void {
    this.#state = 'closed'
    this.#held = []
    setImmediate(() => this.#handlers?.closed(code))
  }

  #deliver(message: string | Uint8Array): void {
    if (typeof message === 'string') this.#handlers?.text(message)
    else this.#handlers?.binary(message)
  }

  #hold(message: ArrayBuffer, isBinary: boolean): void {
    // What is held has a cost of its own beside its bytes.
    this.#heldBytes += message.byteLength + 64
    if (this.#heldBytes > this.#limits.maxHeldBytes) {
      this.close(CLOSE.rateLimited, 'sent too much while it was held back')
      return
    }
    this.#held.push({
      message: isBinary ? new Uint8Array(message.slice(0)) : Buffer.from(message).toString('utf8'),
    })
  }

  #release(): void {
    this.#releasing = true
    let next = 0
    while (!this.#paused && this.#state === 'open' && next < this.#held.length) {
      const held = this.#held[next]
      next += 1
      if (held !== undefined) this.#deliver(held.message)
    }
    this.#held.splice(0, next)
    this.#heldBytes = this.#held.reduce((sum, { message }) => sum + message.length + 64, 0)
    this.#releasing = false
    // Paused and resumed again by what was just delivered.
    if (!this.#paused && this.#held.length > 0) setImmediate(() => this.#release())
  }
}
