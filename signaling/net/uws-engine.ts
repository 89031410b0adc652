import type { AppOptions, TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { chosenSubprotocol } from '../protocol/offered-join.ts'
import { type Listen, type Network, NetworkError, type NetworkOptions, type TlsFiles } from './network.ts'
import { probePort } from './port.ts'
import { MOST_HEADERS_BYTES } from './request-shape.ts'
import { readTls } from './tls-files.ts'
import { AnswerPace, requestHead, requestWithBody, UwsAnswer } from './uws-http.ts'
import { type PublishElsewhere, UwsConnection, type UwsUserData } from './uws-socket.ts'

type Uws = typeof import('uWebSockets.js')

/** The accept queue holds some 512 connections; a storm of reconnecting members needs more (5,000: 3 s with one, 0.2 s with twelve). */
const LISTENERS = 8

/**
 * Our own heartbeat notices silence sooner. This one, in seconds, is for sockets that were closed and whose peer never
 * answers. uWebSockets.js wants 8 or more.
 */
const IDLE_TIMEOUT_SECONDS = 16

/** uWebSockets.js counts frame headers too, and must never drop what our own limit let through. */
const QUEUE_SLACK_BYTES = 65_536

/** After `end` a socket is out of our sight: so long, at the end, for the close frame and the peer's answer. */
const FLUSH_MS = 300

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  /GLIBC|\.node|Cannot find|not supported|supports only|invalid ELF|dlopen/i.test(error.message)

/**
 * uWebSockets.js takes headers of any size that come in one read, but of those that come in pieces only so much: 4 KiB
 * unless this is set when it loads. Cookies of other servers on the same host (localhost!) are often more; node:http
 * takes 16 KiB.
 */
const HEADERS_VARIABLE = 'UWS_HTTP_MAX_HEADERS_SIZE'

/** @throws NetworkError `engine-missing` when the native module does not load on this machine */
export async function loadUws(): Promise<Uws> {
  process.env[HEADERS_VARIABLE] ??= String(MOST_HEADERS_BYTES)
  try {
    const module = (await import('uWebSockets.js')) as Uws & { readonly default?: Uws }
    return module.default ?? module
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    const hint = isMissing(error) ? ' (its native module needs a newer glibc or another Node version)' : ''
    throw new NetworkError('engine-missing', `uWebSockets.js does not load here${hint}: ${why}`, { cause: error })
  }
}

function tlsOptions(tls: TlsFiles): AppOptions {
  return { cert_file_name: tls.certFile, key_file_name: tls.keyFile, ssl_prefer_low_memory_usage: true }
}

function buildApp(
  uws: Uws,
  options: NetworkOptions,
  tls: TlsFiles | undefined,
  apps: readonly TemplatedApp[],
  ended: () => void,
): TemplatedApp {
  // Each app has topics of its own, but a room may have members on both sides of a new certificate.
  const publishElsewhere: PublishElsewhere = (topic, bytes) => {
    for (const other of apps) if (other !== app) other.publish(topic, bytes, true, false)
  }
  const app = tls === undefined ? uws.App() : uws.SSLApp(tlsOptions(tls))
  const secure = tls !== undefined
  const pace = new AnswerPace()

  app.ws<UwsUserData>(options.webSocketPath, {
    compression: uws.DISABLED,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    sendPingsAutomatically: false,
    maxPayloadLength: options.maxMessageBytes,
    maxBackpressure: options.maxQueuedBytes + QUEUE_SLACK_BYTES,
    upgrade: (res, req, context) => {
      const answer = new UwsAnswer(res, false, pace)
      const key = req.getHeader('sec-websocket-key')
      const protocol = chosenSubprotocol(req.getHeader('sec-websocket-protocol'))
      const extensions = req.getHeader('sec-websocket-extensions')
      try {
        const head = requestHead(res, req, secure)
        if (head === undefined) {
          answer.abort()
          return
        }
        const decision = options.upgrade(head)
        if ('accept' in decision) {
          res.cork(() => res.upgrade<UwsUserData>({ accept: decision.accept }, key, protocol, extensions, context))
          return
        }
        answer.begin(decision.refuse.status, { 'content-type': 'text/plain; charset=utf-8' })
        answer.end(`${decision.refuse.message}\n`)
      } catch (error) {
        options.onError(error)
        answer.begin(500, {})
        answer.end()
      }
    },
    open: (ws) => {
      const data = ws.getUserData()
      const connection = new UwsConnection(ws, options.maxQueuedBytes, publishElsewhere)
      data.connection = connection
      try {
        if (data.accept !== undefined) connection.attach(data.accept(connection))
        // It keeps what it can see, and the connection may live long.
        data.accept = undefined
      } catch (error) {
        options.onError(error)
        connection.terminate()
      }
    },
    message: (ws, message, isBinary) => {
      const connection = ws.getUserData().connection
      try {
        connection?.onMessage(message, isBinary)
      } catch (error) {
        options.onError(error)
        connection?.close(1011, 'internal error')
      }
    },
    ping: (ws) => ws.getUserData().connection?.onHeard(),
    pong: (ws) => ws.getUserData().connection?.onHeard(),
    drain: (ws) => ws.getUserData().connection?.onDrain(),
    close: (ws, code) => {
      const { connection } = ws.getUserData()
      if (connection?.ending) ended()
      connection?.onClose(code)
    },
  })

  app.any('/*', (res, req) => {
    const answer = new UwsAnswer(res, req.getMethod() === 'head', pace)
    const fail = (error: unknown): void => {
      options.onError(error)
      if (answer.begun) answer.abort()
      else {
        answer.begin(500, { 'content-type': 'text/plain; charset=utf-8' })
        answer.end('Internal error.\n')
      }
    }
    try {
      const head = requestHead(res, req, secure)
      if (head === undefined) {
        answer.abort()
        return
      }
      Promise.resolve(options.http(requestWithBody(head, res, answer), answer)).catch(fail)
    } catch (error) {
      fail(error)
    }
  })
  return app
}

function listenOnce(app: TemplatedApp, host: string | undefined, port: number): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    const done = (socket: us_listen_socket | false): void => {
      if (socket) resolve(socket)
      else {
        const where = `${host ?? 'any address'}, port ${port}`
        reject(new NetworkError('address-unavailable', `Cannot listen on ${where}. Check --host and --port.`))
      }
    }
    if (host === undefined) app.listen(port, done)
    else app.listen(host, port, done)
  })
}

/** Listen with uWebSockets.js. Rejects with `NetworkError`. */
export const listenWithUws: Listen = async (options) => {
  const uws = await loadUws()
  if (options.tls !== undefined) await readTls(options.tls)
  // A port the system chooses is bound alone, which is what a test wants; but new certificates need a port that can be shared.
  const port = options.port === 0 && options.tls === undefined ? 0 : await probePort(options.host, options.port)

  const listen = async (app: TemplatedApp): Promise<us_listen_socket[]> => {
    const first = await listenOnce(app, options.host, port)
    const more = port === 0 ? 0 : LISTENERS - 1
    return [first, ...(await Promise.all(Array.from({ length: more }, () => listenOnce(app, options.host, port))))]
  }

  const apps: TemplatedApp[] = []
  let lastEndedMs = 0
  const build = (tls: TlsFiles | undefined): TemplatedApp =>
    buildApp(uws, options, tls, apps, () => {
      lastEndedMs = performance.now()
    })
  /** Known to the others before anybody comes to it. */
  const begin = async (tls: TlsFiles | undefined): Promise<us_listen_socket[]> => {
    const app = build(tls)
    apps.push(app)
    try {
      return await listen(app)
    } catch (error) {
      apps.splice(apps.indexOf(app), 1)
      app.close()
      throw error
    }
  }
  let sockets = await begin(options.tls)
  const [first] = sockets
  if (first === undefined) throw new NetworkError('address-unavailable', 'Cannot listen.')
  const boundPort = uws.us_socket_local_port(first)
  const stopListening = (): void => {
    for (const socket of sockets.splice(0)) uws.us_listen_socket_close(socket)
  }

  const network: Network = {
    engine: 'uws',
    port: boundPort,
    // A certificate belongs to an app. A second app takes the port over; the connections of the first live on in it.
    reloadTls: async (files) => {
      await readTls(files)
      const nextSockets = await begin(files)
      stopListening()
      sockets = nextSockets
    },
    stopListening,
    close: async (graceMs) => {
      stopListening()
      const waitMs = lastEndedMs === 0 ? 0 : lastEndedMs + Math.min(graceMs, FLUSH_MS) - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      for (const one of apps.splice(0)) one.close()
    },
  }
  return network
}
