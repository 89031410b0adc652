import { CLOSE, subprotocolsFor } from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../clock.ts'
import type { OpenCarrier } from './carrier.ts'

/**
 * A browser lets a connection to nowhere hang for minutes. TCP, TLS and the upgrade are three to four round trips; one
 * lost SYN costs 1 to 3 s.
 */
const OPENING_MS = 5_000
/** How long Node's socket may take over its closing handshake, which would keep the process alive for 30 s. */
const CLOSING_MS = 1_000

type Socket = WebSocket & { terminate?(): void }

/** Where there is no WebSocket (Node 20). Bundlers for browsers leave it alone. */
async function nodeWebSocket(): Promise<typeof WebSocket> {
  const module = await import(/* @vite-ignore */ /* webpackIgnore: true */ 'ws')
  return module.WebSocket as unknown as typeof WebSocket
}

/** The `websocket` carrier: `<server>/ws`. A first message that is small goes in the request that opens it. */
export const openWebSocket: OpenCarrier = (server, first, events, clock, plain) => {
  let socket: Socket | undefined
  let over = false
  let closing: TimerHandle | undefined

  const shut = (code: number, reason: string): void => {
    over = true
    clock.clearTimeout(opening)
    if (socket === undefined || socket.readyState >= socket.CLOSING) return
    try {
      socket.close(code, reason)
    } catch {
      // A code or reason that WebSocket does not take: the end matters, not what it is called.
      socket.close()
    }
    if (socket.terminate !== undefined) closing = clock.setTimeout(() => socket?.terminate?.(), CLOSING_MS)
  }
  const ended = (code: number, reason: string): void => {
    if (over) return
    shut(CLOSE.normal, '')
    events.closed(code, reason)
  }
  const opening = clock.setTimeout(() => ended(CLOSE.timeout, 'did not open in time'), OPENING_MS)

  const connect = (SocketClass: typeof WebSocket): void => {
    if (over) return
    const address = new URL('ws', server)
    address.protocol = address.protocol.replace('http', 'ws')
    const offered = plain ? [] : subprotocolsFor(first)
    socket = new SocketClass(address, [...offered])
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      clock.clearTimeout(opening)
      if (over) return
      if (offered.length === 0) socket?.send(first)
      events.opened()
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (over) return
      if (typeof data === 'string') events.text(data)
      else events.binary(new Uint8Array(data as ArrayBuffer))
    }
    // `close` follows and says more; without a handler, Node would take it for an uncaught error.
    socket.onerror = () => undefined
    socket.onclose = ({ code, reason }) => {
      if (closing !== undefined) clock.clearTimeout(closing)
      ended(code, reason)
    }
  }
  // What the constructor throws (a page on https and a server on http) is told like any other failure: later.
  const failed = (error: unknown): void => queueMicrotask(() => ended(1006, String(error)))
  try {
    if (globalThis.WebSocket !== undefined) connect(globalThis.WebSocket)
    else nodeWebSocket().then(connect).catch(failed)
  } catch (error) {
    failed(error)
  }

  return {
    kind: 'websocket',
    send(message) {
      if (over || socket?.readyState !== socket?.OPEN || socket === undefined) return false
      socket.send(message as string)
      return true
    },
    bufferedBytes: () => socket?.bufferedAmount ?? 0,
    close(code, reason) {
      if (!over) shut(code, reason)
    },
  }
}
