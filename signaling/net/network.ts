/**
 * What the server asks of a network engine. Two engines implement it: uWebSockets.js, and `ws` on node:http where the
 * native module does not load. Nothing outside this folder knows either.
 *
 * Rules both engines keep: no method throws, also after a close; callbacks of one connection never run inside a call
 * to it; after `close` or `terminate` no more messages are handed up; `closed` is called exactly once.
 */
import type { SendResult, Topics } from '../uplink.ts'

export type EngineName = 'uws' | 'ws'

/** What is known of a request. Everything is copied, so it may be kept. */
export interface RequestHead {
  readonly method: string
  /** Percent-encoded, as it was sent, without the query. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** The address of the other end of the TCP connection, which may be a proxy. */
  readonly socketAddress: string
  readonly secure: boolean
  /** `name` in lower case. Undefined when it was not sent. */
  header(name: string): string | undefined
}

export interface HttpRequest extends RequestHead {
  /**
   * The whole body. Ask before the handler's first `await`.
   * Rejects with `BodyError` when it is larger than `maxBytes` or the client goes away.
   */
  body(maxBytes: number): Promise<Uint8Array>
}

export class BodyError extends Error {
  override readonly name = 'BodyError'
  constructor(readonly code: 'too-large' | 'aborted') {
    super(code === 'too-large' ? 'the body is larger than this route takes' : 'the client went away')
  }
}

export type Headers = Readonly<Record<string, string>>

/** One answer: `begin` once, `write` any number of times, `end` once. A whole answer is `begin` then `end(body)`. */
export interface HttpResponse {
  /** True once the answer has ended or the client went away; everything after that is ignored. */
  readonly closed: boolean
  begin(status: number, headers: Headers): void
  /** A part of a streamed answer. `queued` means: wait for `onDrained` before writing much more. */
  write(chunk: string | Uint8Array): Exclude<SendResult, 'dropped' | 'closed'>
  /** Bytes are not copied: do not change them afterwards. */
  end(body?: string | Uint8Array): void
  /** Break off: close the connection under an answer that cannot be finished, or under a request that never ends. */
  abort(): void
  /** Called each time the queue has drained after a `write` that returned `queued`. */
  onDrained(listener: () => void): void
  /** Called once, when the client goes away before the answer has ended. */
  onAborted(listener: () => void): void
}

export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void | Promise<void>

/** One WebSocket connection. */
export interface Socket {
  send(message: string | Uint8Array): SendResult
  /** Bytes accepted but not yet taken by the network. */
  queuedBytes(): number
  /** Undefined when the engine has none. */
  readonly topics: Topics | undefined
  ping(): void
  /** Stop reading where the engine can; one that cannot goes on delivering, and the hub holds it, bounded. */
  pause(): void
  resume(): void
  /** Close in order, after what is queued. */
  close(code: number, reason: string): void
  /** Close at once; what is queued is lost. */
  terminate(): void
}

export interface SocketHandlers {
  text(text: string): void
  /** The bytes belong to the callee during the call only, and may be changed in place. */
  binary(bytes: Uint8Array): void
  /** A ping or pong came, or queued bytes moved: the peer lives. */
  heard(): void
  /** The queue is empty again after a `send` that returned `queued` or `dropped`, or after something published. */
  drained(): void
  /** `code` is 1006 when there was no closing handshake. */
  closed(code: number): void
}

export interface Refusal {
  readonly status: number
  /** Plain text that says what to do. */
  readonly message: string
}

export type UpgradeDecision = { readonly refuse: Refusal } | { readonly accept: (socket: Socket) => SocketHandlers }

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface NetworkOptions {
  /** Undefined listens on every address, IPv4 and IPv6. */
  readonly host: string | undefined
  /** 0 takes a free one. */
  readonly port: number
  readonly tls: TlsFiles | undefined
  /** The one path on which WebSockets are accepted. */
  readonly webSocketPath: string
  /** Messages above this close the connection without ceremony: set it above the limit that is answered with words. */
  readonly maxMessageBytes: number
  /** Most bytes queued for one connection; a `send` beyond is `dropped`. */
  readonly maxQueuedBytes: number
  readonly upgrade: (request: RequestHead) => UpgradeDecision
  readonly http: HttpHandler
  /** An exception that escaped a handler. The client got a 500, or its socket was closed. */
  readonly onError: (error: unknown) => void
}

export interface Network {
  readonly engine: EngineName
  readonly port: number
  /** Serve new connections with what the files hold now; connections that are open live on. Rejects with `NetworkError` and changes nothing when the files are no pair. */
  reloadTls(files: TlsFiles): Promise<void>
  /** Take no more connections; those that are open live on. */
  stopListening(): void
  /** Close whatever is left, after closing handshakes under way have had up to `graceMs`. */
  close(graceMs: number): Promise<void>
}

export type NetworkErrorCode =
  | 'port-in-use'
  | 'port-forbidden'
  | 'address-unavailable'
  | 'tls-invalid'
  | 'engine-missing'

/** The server cannot listen. The message says what to do. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  constructor(
    readonly code: NetworkErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export type Listen = (options: NetworkOptions) => Promise<Network>
