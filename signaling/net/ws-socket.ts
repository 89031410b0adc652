import type { RawData, WebSocket } from 'ws'
import type { SendResult } from '../uplink.ts'
import type { Socket, SocketHandlers } from './network.ts'

/** One connection on `ws`. */
export class WsConnection implements Socket {
  readonly topics = undefined
  readonly #ws: WebSocket
  readonly #maxQueuedBytes: number
  #open = true
  #closedTold = false
  #awaitingDrain = false
  #handlers: SocketHandlers | undefined

  constructor(ws: WebSocket, maxQueuedBytes: number) {
    this.#ws = ws
    this.#maxQueuedBytes = maxQueuedBytes
  }

  /** Events are listened to only now, so that none comes before its handler is there. */
  attach(handlers: SocketHandlers, onError: (error: unknown) => void): void {
    this.#handlers = handlers
    const heard = (): void => handlers.heard()
    this.#ws.on('ping', heard)
    this.#ws.on('pong', heard)
    this.#ws.on('message', (data, isBinary) => {
      try {
        this.#onMessage(data, isBinary)
      } catch (error) {
        onError(error)
        this.close(1011, 'internal error')
      }
    })
    // A broken connection ends in `close`; why it broke is the network's business.
    this.#ws.on('error', () => undefined)
    this.#ws.on('close', (code) => this.#tellClosed(code))
  }

  send(message: string | Uint8Array): SendResult {
    if (!this.#open) return 'closed'
    const binary = typeof message !== 'string'
    const bytes = binary ? message.length : Buffer.byteLength(message)
    const queued = this.#ws.bufferedAmount
    if (queued > 0 && queued + bytes > this.#maxQueuedBytes) {
      this.#awaitingDrain = true
      return 'dropped'
    }
    // `ws` keeps a reference to what the socket does not take at once, and callers use their bytes again.
    this.#ws.send(binary ? Buffer.from(message) : message, { binary, compress: false }, this.#onWritten)
    if (this.#ws.bufferedAmount === 0) return 'sent'
    this.#awaitingDrain = true
    return 'queued'
  }

  queuedBytes(): number {
    return this.#open ? this.#ws.bufferedAmount : 0
  }

  ping(): void {
    if (this.#open && this.#ws.bufferedAmount === 0) this.#ws.ping()
  }

  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    // A paused connection would not see the peer's answer.
    this.#ws.resume()
    this.#ws.close(code, reason)
    setImmediate(() => this.#tellClosed(code))
  }

  terminate(): void {
    if (!this.#open) return
    this.#open = false
    this.#ws.terminate()
    setImmediate(() => this.#tellClosed(1006))
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (!this.#open || this.#handlers === undefined) return
    const bytes = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data
    if (isBinary) this.#handlers.binary(bytes)
    else this.#handlers.text(bytes.toString('utf8'))
  }

  readonly #onWritten = (): void => {
    if (!this.#open) return
    if (!this.#awaitingDrain) return
    this.#handlers?.heard()
    if (this.#ws.bufferedAmount > 0) return
    this.#awaitingDrain = false
    this.#handlers?.drained()
  }

  #tellClosed(code: number): void {
    this.#open = false
    if (this.#closedTold) return
    this.#closedTold = true
    this.#handlers?.closed(code)
  }
}
