import { CLOSE } from '../protocol/errors.ts'
import { offeredJoin } from '../protocol/offered-join.ts'
import type { SendResult, Topics, Uplink, UplinkAcceptor, UplinkHandlers } from '../uplink.ts'
import type { Beating, Heartbeat, Pulse } from './heartbeat.ts'
import type { Socket, SocketHandlers } from './network.ts'

/** The simplest carrier: one WebSocket is one uplink, one WebSocket message is one uplink message. */
export function carryOverWebSocket(
  acceptor: UplinkAcceptor,
  heartbeat: Heartbeat,
  address: string,
  /** The request's `Sec-WebSocket-Protocol`. */
  subprotocols: string | undefined,
): (socket: Socket) => SocketHandlers {
  return (socket) => new WebSocketCarrier(acceptor, heartbeat, address, socket, offeredJoin(subprotocols))
}

/** Says nothing until there is somebody who listens. */
const NOBODY: UplinkHandlers = Object.freeze({ text() {}, binary() {}, drained() {}, closed() {} })

/** All that one connection needs between socket and hub, in one object: there are many of them. */
class WebSocketCarrier implements Uplink, SocketHandlers, Beating {
  readonly address: string
  readonly #socket: Socket
  readonly #pulse: Pulse
  #handlers: UplinkHandlers = NOBODY

  constructor(
    acceptor: UplinkAcceptor,
    heartbeat: Heartbeat,
    address: string,
    socket: Socket,
    first: string | undefined,
  ) {
    this.address = address
    this.#socket = socket
    this.#pulse = heartbeat.watch(this)
    this.#handlers = acceptor.accept(this, first)
  }

  get carrier(): 'websocket' {
    return 'websocket'
  }

  send(message: string | Uint8Array): SendResult {
    return this.#socket.send(message)
  }

  queuedBytes(): number {
    return this.#socket.queuedBytes()
  }

  get topics(): Topics | undefined {
    return this.#socket.topics
  }

  pause(): void {
    this.#pulse.hold(true)
    this.#socket.pause()
  }

  resume(): void {
    this.#pulse.hold(false)
    this.#socket.resume()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  ping(): void {
    this.#socket.ping()
  }

  silent(): void {
    this.#socket.close(CLOSE.timeout, 'nothing was heard from you')
  }

  text(text: string): void {
    this.#pulse.heard()
    this.#handlers.text(text)
  }

  binary(bytes: Uint8Array): void {
    this.#pulse.heard()
    this.#handlers.binary(bytes)
  }

  heard(): void {
    this.#pulse.heard()
  }

  drained(): void {
    this.#handlers.drained()
  }

  closed(): void {
    this.#pulse.stop()
    this.#handlers.closed()
  }
}
