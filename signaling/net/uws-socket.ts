import type { WebSocket } from 'uWebSockets.js'
import type { SendResult, Topics } from '../uplink.ts'
import type { Socket, SocketHandlers } from './network.ts'

export interface UwsUserData {
  /** Until it is open. */
  accept: ((socket: Socket) => SocketHandlers) | undefined
  connection?: UwsConnection
}

/** To those who subscribe in the other apps of this server. */
export type PublishElsewhere = (topic: string, bytes: Uint8Array) => void

type State = 'open' | 'closing' | 'closed'

/**
 * One connection on uWebSockets.js. Its `ws` may not be touched after it has closed, and there is no way to make it
 * stop reading, so `pause` and `resume` do nothing.
 */
export class UwsConnection implements Socket, Topics {
  readonly #ws: WebSocket<UwsUserData>
  readonly #maxQueuedBytes: number
  readonly #publishElsewhere: PublishElsewhere
  #handlers: SocketHandlers | undefined
  #state: State = 'open'
  /** Something may be queued. */
  #awaitingDrain = false
  /** Of topics: what they bring may be queued at any time. */
  #subscriptions = 0

  constructor(ws: WebSocket<UwsUserData>, maxQueuedBytes: number, publishElsewhere: PublishElsewhere) {
    this.#ws = ws
    this.#maxQueuedBytes = maxQueuedBytes
    this.#publishElsewhere = publishElsewhere
  }

  /** Closed by us, not by the peer. */
  get ending(): boolean {
    return this.#state === 'closing'
  }

  attach(handlers: SocketHandlers): void {
    this.#handlers = handlers
  }

  send(message: string | Uint8Array): SendResult {
    if (this.#state !== 'open') return 'closed'
    if (this.#awaitingDrain && this.#full(message)) return 'dropped'
    const status = this.#ws.send(message, typeof message !== 'string', false)
    if (status === 1) return 'sent'
    this.#awaitingDrain = true
    return status === 0 ? 'queued' : 'dropped'
  }

  #full(message: string | Uint8Array): boolean {
    const queued = this.#ws.getBufferedAmount()
    const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length
    return queued > 0 && queued + bytes > this.#maxQueuedBytes
  }

  queuedBytes(): number {
    return this.#state === 'open' ? this.#ws.getBufferedAmount() : 0
  }

  get topics(): Topics {
    return this
  }

  subscribe(topic: string): void {
    if (this.#state === 'open' && this.#ws.subscribe(topic)) this.#subscriptions += 1
  }

  unsubscribe(topic: string): void {
    if (this.#state !== 'open') return
    // What was published in this turn would go with the subscription; whatever is sent pushes it out.
    this.#ws.ping()
    if (!this.#ws.unsubscribe(topic)) return
    this.#subscriptions -= 1
    this.#awaitingDrain ||= this.#ws.getBufferedAmount() > 0
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#ws.publish(topic, bytes, true, false)
    this.#publishElsewhere(topic, bytes)
  }

  ping(): void {
    // Behind a queue a ping proves nothing sooner than the queue's own draining does.
    if (this.#state === 'open' && this.#ws.getBufferedAmount() === 0) this.#ws.ping()
  }

  pause(): void {}

  resume(): void {}

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
    if (isBinary) this.#handlers?.binary(new Uint8Array(message))
    else this.#handlers?.text(Buffer.from(message).toString('utf8'))
  }

  onHeard(): void {
    this.#handlers?.heard()
  }

  onDrain(): void {
    if (this.#state !== 'open') return
    this.#handlers?.heard()
    if ((!this.#awaitingDrain && this.#subscriptions === 0) || this.#ws.getBufferedAmount() > 0) return
    this.#awaitingDrain = false
    this.#handlers?.drained()
  }

  /** uWebSockets.js calls this inside `end` and `close`; what is above is told in a turn of its own. */
  onClose(code: number): void {
    this.#state = 'closed'
    setImmediate(() => this.#handlers?.closed(code))
  }
}
