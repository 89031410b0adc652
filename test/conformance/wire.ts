import { type ClientOptions, WebSocket } from 'ws'
import { HttpWire } from './http-wire.ts'

export const CARRIERS = ['websocket', 'sse', 'long-poll', 'short-poll'] as const
export type CarrierName = (typeof CARRIERS)[number]

export interface Closed {
  readonly code: number
  readonly reason: string
}

export interface ConnectOptions {
  /** Of a WebSocket's certificate. */
  readonly rejectUnauthorized?: boolean
  /** Default: `websocket`. */
  readonly carrier?: CarrierName
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  /** The subprotocols that a WebSocket offers. */
  readonly protocols?: string[]
}

/** One uplink as a carrier carries it: whole messages, in order. */
export interface Wire {
  readonly protocol: string
  readonly closed: Promise<Closed>
  /** Once; what came before is told then. */
  listen(listener: (message: string | Buffer) => void): void
  send(message: string | Uint8Array): void
  /** Stop and go on reading. */
  pause(): void
  resume(): void
  /** Close in order. */
  close(): void
  /** Without a word, as when a network goes. */
  drop(): void
}

/** Rejects when the server refuses. */
export function openWire(url: string, { carrier = 'websocket', ...options }: ConnectOptions): Promise<Wire> {
  return carrier === 'websocket' ? openWebSocketWire(url, options) : HttpWire.open(url, carrier, options)
}

function openWebSocketWire(url: string, { protocols, headers, ...rest }: ConnectOptions): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const options: ClientOptions = {
      perMessageDeflate: false,
      ...rest,
      ...(headers === undefined ? {} : { headers: { ...headers } }),
    }
    const ws = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, protocols, options)
    const early: (string | Buffer)[] = []
    let tell = (message: string | Buffer): void => void early.push(message)
    ws.on('message', (data, isBinary) => tell(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8')))
    const closed = new Promise<Closed>((done) =>
      ws.on('close', (code, reason) => done({ code, reason: reason.toString() })),
    )
    ws.once('error', reject)
    ws.on('error', () => undefined)
    ws.once('open', () =>
      resolve({
        protocol: ws.protocol,
        closed,
        listen: (listener) => {
          tell = listener
          for (const message of early.splice(0)) listener(message)
        },
        send: (message) => ws.send(message, { binary: typeof message !== 'string' }),
        pause: () => ws.pause(),
        resume: () => ws.resume(),
        close: () => ws.close(1000),
        drop: () => ws.terminate(),
      }),
    )
  })
}
