import { CLOSE } from '../protocol/errors.ts'
import type { UplinkAcceptor } from '../uplink.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Socket, SocketHandlers } from './network.ts'

/** The simplest carrier: one WebSocket is one uplink, one WebSocket message is one uplink message. */
export function carryOverWebSocket(
  acceptor: UplinkAcceptor,
  heartbeat: Heartbeat,
  address: string,
): (socket: Socket) => SocketHandlers {
  return (socket) => {
    const pulse = heartbeat.watch({
      ping: () => socket.ping(),
      silent: () => socket.close(CLOSE.timeout, 'nothing was heard from you'),
    })
    const handlers = acceptor.accept({
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
    })
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
