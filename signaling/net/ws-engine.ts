import { createServer, type IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http'
import { createServer as createSecureServer, Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { SUBPROTOCOL } from '../protocol/offered-join.ts'
import { Lateness } from './lateness.ts'
import type { Listen, NetworkOptions, Refusal } from './network.ts'
import { asListenError } from './port.ts'
import { isAmbiguous, MOST_IN_A_TURN } from './request-shape.ts'
import { statusLine } from './status.ts'
import { readTls } from './tls-files.ts'
import { NodeAnswer, requestHead, requestWithBody } from './ws-http.ts'
import { WsConnection } from './ws-socket.ts'

/** A storm of reconnecting members must fit; the system may cut it to its own limit (net.core.somaxconn). */
const BACKLOG = 4_096
/** A peer that answers no closing handshake is dropped after this. */
const CLOSE_TIMEOUT_MS = 10_000
const HEADERS_MS = 10_000
const CHECK_EVERY_MS = 2_000
/** Clients that send their request byte by byte. node:http looks only every 30 s unless it is told. */
const HTTP_TIMEOUTS: ServerOptions = {
  headersTimeout: HEADERS_MS,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: CHECK_EVERY_MS,
}

/**
 * It begins to count when a connection comes, and looks before it reads: in a storm of thousands, or after standing still,
 * it would answer 408 to requests that have long come. What it was late itself is given besides.
 */
function bePatientWhenLate(server: Server): void {
  const lateness = new Lateness(CHECK_EVERY_MS, HEADERS_MS, () => performance.now())
  // Looked at by each check.
  Object.defineProperty(server, 'headersTimeout', { get: () => HEADERS_MS + Math.round(lateness.ms()) })
}

/** Who has stopped reading an answer, or sends a body and then nothing; above any long poll. */
const IDLE_MS = 60_000

/**
 * `ws` keeps each fragment of a message, and each piece of a frame that the network brings, as an object of some 130 bytes
 * beside its own. Browsers send messages whole or in large fragments; a packet comes in 500 pieces where they are small.
 */
const MOST_FRAGMENTS = 256
const MOST_PIECES = 4_096

/** The socket of an upgrade is out of node:http's sight: whoever neither reads nor closes is dropped after this. */
const REFUSED_MS = 5_000

function refuse(socket: Socket, refusal: Refusal): void {
  const body = `${refusal.message}\n`
  socket.on('error', () => undefined)
  socket.once('finish', () => socket.destroySoon())
  socket.setTimeout(REFUSED_MS, () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${statusLine(refusal.status)}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Notices connections that ask for more at once than anybody does who waits for answers; everybody else would wait. */
class Crowding {
  readonly #asked = new Map<Socket, number>()

  /** One more request; true when it is one too many in this turn of the loop. */
  isTooMuch(socket: Socket): boolean {
    if (this.#asked.size === 0) setImmediate(() => this.#asked.clear())
    const asked = (this.#asked.get(socket) ?? 0) + 1
    this.#asked.set(socket, asked)
    return asked > MOST_IN_A_TURN
  }
}

/**
 * node:http would go on with what has been read, some 1,500 requests, and make all of each: 10 ms for a connection, and
 * hundreds for as many as come at once. Its parser stops where another protocol begins, which is what 2 says.
 */
function stopParsing(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: { onIncoming: () => number } | null }
  if (parser) parser.onIncoming = () => 2
}

function answerHttp(
  options: NetworkOptions,
  crowding: Crowding,
  message: IncomingMessage,
  response: ServerResponse,
): void {
  const { socket } = message
  // What stands behind a request that was refused may be its body.
  if (!socket.writable) return
  if (crowding.isTooMuch(socket)) {
    stopParsing(socket)
    socket.destroySoon()
    return
  }
  const answer = new NodeAnswer(response, message.method === 'HEAD')
  const fail = (error: unknown): void => {
    options.onError(error)
    if (answer.begun) answer.abort()
    else {
      answer.begin(500, { 'content-type': 'text/plain; charset=utf-8' })
      answer.end('Internal error.\n')
    }
  }
  try {
    const head = requestHead(message)
    if (isAmbiguous(head)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => socket.destroy())
      return
    }
    const request = requestWithBody(head, message)
    Promise.resolve(options.http(request, answer)).catch(fail)
    // A body that nobody asked for must still be read, or the connection cannot be used again.
    if (message.listenerCount('data') === 0) message.resume()
  } catch (error) {
    fail(error)
  }
}

/**
 * An upgrade to something that is not spoken here (`h2c`, as Java's client and curl offer) is answered as if it had not
 * been offered (RFC 9110, section 7.8).
 */
function answerWithoutUpgrade(
  options: NetworkOptions,
  crowding: Crowding,
  message: IncomingMessage,
  socket: Socket,
): void {
  socket.on('error', () => undefined)
  socket.setTimeout(REFUSED_MS, () => socket.destroy())
  const response = new ServerResponse(message)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  answerHttp(options, crowding, message, response)
}

function listening(server: Server, options: NetworkOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(asListenError(error, options.host, options.port)))
    server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : options.port)
    })
  })
}

/** Listen with `ws` on node:http or node:https. Rejects with `NetworkError`. */
export const listenWithWs: Listen = async (options) => {
  const server: Server =
    options.tls === undefined
      ? createServer(HTTP_TIMEOUTS)
      : createSecureServer({ ...HTTP_TIMEOUTS, ...(await readTls(options.tls)) })
  server.setTimeout(IDLE_MS)
  bePatientWhenLate(server)
  const crowding = new Crowding()
  const open = new Set<WebSocket>()
  const upgraderOptions = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxFragments: MOST_FRAGMENTS,
    maxBufferedChunks: MOST_PIECES,
    // A client may offer others, which are not spoken here.
    handleProtocols: (offered: ReadonlySet<string>) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  }
  const upgrader = new WebSocketServer(upgraderOptions)

  const accept = (ws: WebSocket, attach: (connection: WsConnection) => void): void => {
    open.add(ws)
    ws.once('close', () => open.delete(ws))
    try {
      attach(new WsConnection(ws, options.maxQueuedBytes))
    } catch (error) {
      options.onError(error)
      ws.terminate()
    }
  }

  server.on('request', (message, response) => answerHttp(options, crowding, message, response))
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    try {
      if (message.headers.upgrade?.toLowerCase() !== 'websocket') {
        answerWithoutUpgrade(options, crowding, message, socket)
        return
      }
      const request = requestHead(message)
      if (request.path !== options.webSocketPath) {
        refuse(socket, { status: 404, message: `WebSockets are accepted at ${options.webSocketPath}.` })
        return
      }
      const decision = options.upgrade(request)
      if ('refuse' in decision) {
        refuse(socket, decision.refuse)
        return
      }
      // The welcome of a join that came with the upgrade leaves in one packet with the answer to it.
      socket.cork()
      upgrader.handleUpgrade(message, socket, head, (ws) => {
        accept(ws, (connection) => connection.attach(decision.accept(connection), options.onError))
      })
      socket.uncork()
    } catch (error) {
      options.onError(error)
      socket.destroy()
    }
  })

  const port = await listening(server, options)
  server.on('error', options.onError)
  return {
    engine: 'ws',
    port,
    reloadTls: async (files) => {
      const pair = await readTls(files)
      if (server instanceof SecureServer) server.setSecureContext(pair)
    },
    stopListening: () => {
      server.close()
      server.closeIdleConnections()
    },
    close: (graceMs) =>
      new Promise((resolve) => {
        const finish = setTimeout(() => {
          for (const ws of open) ws.terminate()
          server.closeAllConnections()
        }, graceMs)
        server.close(() => {
          clearTimeout(finish)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}
