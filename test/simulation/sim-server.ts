/** The real hub behind simulated carriers: it can be killed and started again, with its key and its departures. */
import type { Access } from '../../signaling/access/access-tokens.ts'
import { Hub, type HubDependencies } from '../../signaling/hub.ts'
import { HUB_DEFAULTS, type HubOptions } from '../../signaling/limits/hub-options.ts'
import { MemoryDepartures } from '../../signaling/sessions/departures.ts'
import type { SendResult, Uplink, UplinkHandlers } from '../../signaling/uplink.ts'
import type { Carrier, CarrierEvents, OpenCarrier } from '../../web/client/carriers/carrier.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimClock } from './sim-clock.ts'
import { clearPipe, type PipeConditions, SimPipe } from './sim-pipe.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** How one client reaches the server. Changed live by a schedule. */
export interface UplinkConditions {
  readonly up: PipeConditions
  readonly down: PipeConditions
  /** New carriers do not open. */
  refused: boolean
  /** What carriers are allowed to do to frames coming down, though WebSocket does not. */
  readonly frames: { loss: number; repeats: number; jitterMs: number }
}

export const clearUplink = (delayMs: number): UplinkConditions => ({
  up: clearPipe(delayMs),
  down: clearPipe(delayMs),
  refused: false,
  frames: { loss: 0, repeats: 0, jitterMs: 0 },
})

/** The server's side notices a silent client after this, as WebSocket pings do. */
const SILENCE_MS = 10_000

type Message = string | Uint8Array

export class SimServer {
  #hub: Hub | undefined
  readonly #departures = new MemoryDepartures()
  readonly #carriers = new Set<SimCarrier>()

  constructor(
    private readonly clock: SimClock,
    private readonly random: SeededRandom,
    private readonly options: Partial<HubOptions> = {},
    private readonly access?: Access,
    private readonly history?: HubDependencies['history'],
  ) {
    this.start()
  }

  get hub(): Hub | undefined {
    return this.#hub
  }

  start(): void {
    this.#hub ??= new Hub({
      options: { ...HUB_DEFAULTS, ...this.options },
      clock: this.clock,
      random: this.random.fill,
      log: quiet,
      sessionKeys: [new Uint8Array(32).fill(7)],
      iceServers: () => ({ servers: [], expiresAtMs: this.clock.now() + 3_600_000 }),
      departures: this.#departures,
      access: this.access,
      history: this.history,
      afterTurn: (run) => void this.clock.setTimeout(run, 0),
    })
  }

  /** As kill -9: the process is gone, its sockets break a moment later. */
  kill(): void {
    this.#hub = undefined
    for (const carrier of [...this.#carriers]) carrier.break('the server was killed')
  }

  /** Break the carrier of a client that uses these conditions. */
  drop(conditions: UplinkConditions): void {
    for (const carrier of [...this.#carriers]) if (carrier.conditions === conditions) carrier.break('dropped')
  }

  open(conditions: UplinkConditions): OpenCarrier {
    return (_server, first, events) => {
      const carrier = new SimCarrier(this.clock, this.random, conditions, first, events, () =>
        this.#carriers.delete(carrier),
      )
      this.#carriers.add(carrier)
      carrier.connect(() => this.#hub)
      return carrier
    }
  }
}

class SimCarrier implements Carrier {
  readonly kind = 'websocket'
  readonly #up: SimPipe<Message>
  readonly #down: SimPipe<Message>
  /** For frames while they are lost, repeated and reordered. */
  readonly #unruly: SimPipe<Message>
  #handlers: UplinkHandlers | undefined
  #open = false
  #over = false
  #paused = false
  readonly #held: Message[] = []
  #silence: object | undefined

  constructor(
    private readonly clock: SimClock,
    random: SeededRandom,
    readonly conditions: UplinkConditions,
    private readonly first: string,
    private readonly events: CarrierEvents,
    private readonly gone: () => void,
  ) {
    this.#up = new SimPipe(clock, random, conditions.up, (message) => this.#arrive(message))
    const receive = (message: Message): void => {
      this.#opens()
      if (typeof message === 'string') this.events.text(message)
      else this.events.binary(message)
    }
    const { frames } = conditions
    const unruly = Object.create(conditions.down, {
      loss: { get: () => frames.loss },
      repeats: { get: () => frames.repeats },
      jitterMs: { get: () => frames.jitterMs },
      ordered: { get: () => false },
    }) as PipeConditions
    this.#unruly = new SimPipe(clock, random, unruly, receive)
    this.#down = new SimPipe(clock, random, conditions.down, receive, () => {
      if (this.#down.queuedBytes === 0) this.#handlers?.drained()
    })
  }

  connect(hub: () => Hub | undefined): void {
    const { conditions, clock } = this
    clock.setTimeout(
      () => {
        if (this.#over) return
        const server = hub()
        if (server === undefined || conditions.refused) {
          this.break('refused')
          return
        }
        if (conditions.up.blackhole || conditions.down.blackhole) {
          clock.setTimeout(() => this.break('opening timed out'), 10_000)
          return
        }
        // A TCP handshake and an upgrade, which takes the join along: the welcome leaves with the answer to it.
        this.#handlers = server.accept(this.#serverEnd(), this.first)
        this.#watch()
        clock.setTimeout(() => this.#opens(), conditions.down.delayMs)
      },
      2 * conditions.up.delayMs + conditions.down.delayMs,
    )
  }

  #opens(): void {
    if (this.#open || this.#over) return
    this.#open = true
    this.events.opened()
  }

  #serverEnd(): Uplink {
    return {
      address: '192.0.2.1',
      carrier: 'websocket',
      send: (message): SendResult => {
        if (this.#over) return 'dropped'
        const copy = typeof message === 'string' ? message : message.slice()
        const { loss, repeats, jitterMs } = this.conditions.frames
        const unruly = typeof message !== 'string' && loss + repeats + jitterMs > 0
        ;(unruly ? this.#unruly : this.#down).put(copy, message.length)
        return this.#down.queuedBytes > 0 ? 'queued' : 'sent'
      },
      queuedBytes: () => this.#down.queuedBytes,
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
        for (const message of this.#held.splice(0)) this.#arrive(message)
      },
      close: (code, reason) => {
        this.clock.setTimeout(() => this.#end(code, reason), this.conditions.down.delayMs)
      },
    }
  }

  #arrive(message: Message): void {
    if (this.#paused) {
      this.#held.push(message)
      return
    }
    this.#watch()
    if (typeof message === 'string') this.#handlers?.text(message)
    else this.#handlers?.binary(message)
  }

  /** Pings of WebSocket, which answer for a client that says nothing. */
  #watch(): void {
    if (this.#handlers === undefined) return
    if (this.#silence !== undefined) this.clock.clearTimeout(this.#silence)
    this.#silence = this.clock.setTimeout(() => {
      const { up, down } = this.conditions
      if (up.blackhole || down.blackhole) this.#serverLoses()
      else this.#watch()
    }, SILENCE_MS)
  }

  #serverLoses(): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    if (this.#silence !== undefined) this.clock.clearTimeout(this.#silence)
    handlers?.closed()
  }

  send(message: Message): boolean {
    if (!this.#open || this.#over) return false
    this.#up.put(typeof message === 'string' ? message : message.slice(), message.length)
    return true
  }

  bufferedBytes(): number {
    return this.#up.queuedBytes
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.gone()
    // What was put in before still arrives, then the end.
    const { up } = this.conditions
    if (up.blackhole) {
      this.clock.setTimeout(() => this.#serverLoses(), SILENCE_MS)
      return
    }
    this.clock.setTimeout(() => this.#serverLoses(), up.delayMs + up.jitterMs + 1)
  }

  break(reason: string): void {
    this.#end(1006, reason)
  }

  #end(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.gone()
    this.#up.close()
    this.#down.close()
    this.#unruly.close()
    this.clock.setTimeout(() => this.#serverLoses(), 0)
    this.events.closed(code, reason)
  }
}
