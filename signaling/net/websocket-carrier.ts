import { CLOSE } from '../protocol/errors.ts'
import { offeredJoin } from '../protocol/offered-join.ts'
import type { Uplink, UplinkAcceptor } from '../uplink.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Socket, SocketHandlers } from './network.ts'

/** The simplest carrier: one WebSocket is one uplink, one WebSocket message is one uplink message. */
export function carryOverWebSocket(
  acceptor: UplinkAcceptor,
  heartbeat: Heartbeat,
  address: string,
  /** The request's `Sec-WebSocket-Protocol`. */
  subprotocols: string | undefined,
): (socket: Socket) => SocketHandlers {
  let first = offeredJoin(subprotocols)
  return (socket) => {
    const pulse = heartbeat.watch({
      ping: () => socket.ping(),
      silent: () => socket.close(CLOSE.timeout, 'nothing was heard from you'),
    })
    const uplink: Uplink = {
      address,
      carrier: 'websocket',
      send: (message) => socket.send(message),
      queuedBytes: () => socket.queuedBytes(),
      pause: () => {
        pulse.hold(true)
        socket.pause()
      },
      resume: () => {
        pulse.hold(false)
        socket.resume()
      },
      close: (code, reason) => socket.close(code, reason),
    }
    const handlers = acceptor.accept(uplink, first)
    // These functions live as long as the connection, and keep what they can see.
    first = undefined
    return {
      text: (text) => {
        pulse.heard()
        handlers.text(text)
      },
      binary: (bytes) => {
        pulse.heard()
        handlers.binary(bytes)
      },
      heard: () => pulse.heard(),
      drained: () => handlers.drained(),
      closed: () => {
        pulse.stop()
        handlers.closed()
      },
    }
  }
}
