import { connect, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { systemClock } from '../../signaling/clock.ts'
import { Hub } from '../../signaling/hub.ts'
import { HUB_DEFAULTS, type HubOptions } from '../../signaling/limits/hub-options.ts'
import { chooseEngine } from '../../signaling/net/engines.ts'
import { Heartbeat } from '../../signaling/net/heartbeat.ts'
import type { EngineName, Network, NetworkOptions } from '../../signaling/net/network.ts'
import { carryOverWebSocket } from '../../signaling/net/websocket-carrier.ts'
import { CLOSE } from '../../signaling/protocol/index.ts'
import { MemoryDepartures } from '../../signaling/sessions/departures.ts'

/**
 * The real hub behind a real engine, in this process. Killed and started again it has the same key, unless `forgetKey`
 * is called, and another port: reach it by a `Wire`, which follows.
 */
export class LiveHub {
  readonly engine: EngineName
  readonly #options: HubOptions
  #key = crypto.getRandomValues(new Uint8Array(32))
  #port = 0
  #hub: Hub | undefined
  #network: Network | undefined

  private constructor(engine: EngineName, options: Partial<HubOptions>) {
    this.engine = engine
    this.#options = { ...HUB_DEFAULTS, ...options }
  }

  static async start(engine: EngineName, options: Partial<HubOptions> = {}): Promise<LiveHub> {
    const live = new LiveHub(engine, options)
    await live.start()
    return live
  }

  get port(): number {
    return this.#port
  }

  get hub(): Hub {
    if (this.#hub === undefined) throw new Error('the server is not running')
    return this.#hub
  }

  forgetKey(): void {
    this.#key = crypto.getRandomValues(new Uint8Array(32))
  }

  async start(): Promise<void> {
    const hub = new Hub({
      options: this.#options,
      clock: systemClock,
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      log: { debug() {}, info() {}, warn() {}, error: (fields) => console.error(fields) },
      sessionKeys: [this.#key],
      iceServers: () => ({ servers: [{ urls: ['stun:stun.test'] }], expiresAtMs: Date.now() + 3_600_000 }),
      departures: new MemoryDepartures(),
    })
    const heartbeat = new Heartbeat(() => performance.now())
    const { listen } = await chooseEngine(this.engine)
    const options: NetworkOptions = {
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      webSocketPath: '/base/ws',
      maxMessageBytes: 1_048_576,
      maxQueuedBytes: 4_194_304,
      upgrade: (request) => ({
        accept: carryOverWebSocket(hub, heartbeat, request.socketAddress, request.header('sec-websocket-protocol')),
      }),
      http: (_request, response) => {
        response.begin(404, {})
        response.end()
      },
      onError: (error) => console.error(error),
    }
    this.#network = await listen(options)
    this.#hub = hub
    this.#port = this.#network.port
  }

  /** As by kill -9: connections break, nothing is said. */
  async kill(): Promise<void> {
    const network = this.#network
    this.#network = undefined
    this.#hub = undefined
    await network?.close(0)
  }

  /** As by SIGTERM: clients are told when to come back. */
  async restart(): Promise<void> {
    this.hub.close(CLOSE.restart)
    await this.kill()
    await this.start()
  }
}

/** A way to the server that can go dead without a word, as networks do. */
export class Wire {
  readonly #server: Server
  readonly #ends = new Set<TcpSocket>()
  readonly #deadEnds = new WeakSet<TcpSocket>()
  port = 0

  private constructor(target: () => number) {
    this.#server = createServer((near) => {
      const far = connect(target(), '127.0.0.1')
      const join = (from: TcpSocket, to: TcpSocket): void => {
        this.#ends.add(from)
        from.on('data', (data) => !this.#deadEnds.has(from) && to.write(data))
        from.on('error', () => undefined)
        from.on('close', () => {
          this.#ends.delete(from)
          to.destroy()
        })
      }
      join(near, far)
      join(far, near)
    })
  }

  static async to(target: () => number, port = 0): Promise<Wire> {
    const wire = new Wire(target)
    await new Promise<void>((resolve) => wire.#server.listen(port, '127.0.0.1', resolve))
    const address = wire.#server.address()
    wire.port = typeof address === 'object' && address !== null ? address.port : 0
    return wire
  }

  /** What is connected now carries nothing any more, and does not end; new connections do carry. */
  freeze(): void {
    for (const end of this.#ends) this.#deadEnds.add(end)
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
