/** Simulated peer connections between clients of one simulation: signals as simple-peer says them, lanes as channels. */
import { unpack } from '../../signaling/protocol/index.ts'
import { type LaneChannel, PackingLane } from '../../web/client/paths/packing-lane.ts'
import type {
  Connect,
  ConnectOptions,
  DirectKind,
  NegotiatedPath,
  PathLane,
  PathSignal,
  PathStatistics,
} from '../../web/client/paths/path.ts'
import { LANE_BUFFERS } from '../../web/client/paths/path.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimClock } from './sim-clock.ts'
import { clearPipe, type PipeConditions, SimPipe } from './sim-pipe.ts'

/** How direct paths between two clients behave. Changed live by a schedule. */
export interface PathConditions {
  /** In both directions, by the end that sends. */
  readonly from: ReadonlyMap<string, PipeConditions>
  /** Attempts come to nothing, in silence. */
  impossible: boolean
  /** They open, and then carry nothing. */
  hollow: boolean
  kind: DirectKind
}

const LANES: readonly PathLane[] = ['small', 'bulk', 'latest', 'control']
const NO_STATISTICS: PathStatistics = {
  localCandidate: undefined,
  remoteCandidate: undefined,
  protocol: undefined,
  rttMs: undefined,
  bytesSent: undefined,
  bytesReceived: undefined,
}
/** ICE and DTLS: some round trips after the answer. */
const NEGOTIATION_ROUND_TRIPS = 3

export class SimPaths {
  readonly #conditions = new Map<string, PathConditions>()
  readonly #offers = new Map<string, SimPath>()
  readonly paths = new Set<SimPath>()
  #number = 0

  constructor(
    readonly clock: SimClock,
    readonly random: SeededRandom,
    private readonly delayMs: () => number,
  ) {}

  conditions(a: string, b: string): PathConditions {
    const key = [a, b].sort().join(' ')
    const known = this.#conditions.get(key)
    if (known !== undefined) return known
    const delayMs = this.delayMs()
    const conditions: PathConditions = {
      from: new Map([
        [a, clearPipe(delayMs)],
        [b, clearPipe(delayMs)],
      ]),
      impossible: false,
      hollow: false,
      kind: 'direct',
    }
    this.#conditions.set(key, conditions)
    return conditions
  }

  connect(client: string): Connect {
    return (options) => {
      const path = new SimPath(this, client, options)
      this.paths.add(path)
      return path
    }
  }

  offer(path: SimPath): string {
    this.#number += 1
    const sdp = `offer ${this.#number}`
    this.#offers.set(sdp, path)
    return sdp
  }

  offerer(sdp: string): SimPath | undefined {
    return this.#offers.get(sdp)
  }

  /** Open paths between the two, as `a` has them: the one in use, and those beside it. */
  open(a: string, b: string): SimPath[] {
    return [...this.paths].filter((path) => path.open && path.client === a && path.other?.client === b)
  }

  /** All open paths between the two close at once, as when a browser closes its peer connection. */
  close(a: string, b: string): void {
    for (const path of [...this.paths]) if (path.client === a && path.other?.client === b) path.close()
  }
}

export class SimPath implements NegotiatedPath {
  readonly attempt: number
  other: SimPath | undefined
  #state: 'negotiating' | 'open' | 'closed' = 'negotiating'
  readonly #pipes: SimPipe<Uint8Array>[] = []
  readonly #lanes = new Map<PathLane, PackingLane>()
  #conditions: PathConditions | undefined
  #mute = false

  constructor(
    private readonly paths: SimPaths,
    readonly client: string,
    private readonly options: ConnectOptions,
  ) {
    this.attempt = options.attempt
    if (!options.initiator) return
    paths.clock.setTimeout(() => {
      if (this.#state === 'closed') return
      options.say({ t: 'offer', attempt: options.attempt, turn: options.turn, sdp: paths.offer(this) })
    }, 1)
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** It dies in silence, in both directions; others between the two live on. */
  mute(): void {
    for (const end of [this, this.other]) if (end !== undefined) end.#mute = true
  }

  get kind(): DirectKind {
    return this.#conditions?.kind ?? 'direct'
  }

  accept(signal: PathSignal): void {
    if (this.#state !== 'negotiating') return
    if (signal.t === 'offer') {
      const offerer = this.paths.offerer(signal.sdp)
      if (offerer === undefined) return
      this.#meet(offerer)
      offerer.#meet(this)
      this.options.say({ t: 'answer', attempt: this.attempt, sdp: 'answer' })
    }
    if (signal.t === 'answer') this.#negotiate()
  }

  #meet(other: SimPath): void {
    this.other = other
    this.#conditions = this.paths.conditions(this.client, other.client)
  }

  #negotiate(): void {
    const { other } = this
    const conditions = this.#conditions
    if (other === undefined || conditions === undefined) return
    const there = conditions.from.get(this.client) as PipeConditions
    const back = conditions.from.get(other.client) as PipeConditions
    this.paths.clock.setTimeout(
      () => {
        if (conditions.impossible || there.blackhole || back.blackhole) return
        this.#open()
        other.#open()
      },
      NEGOTIATION_ROUND_TRIPS * (there.delayMs + back.delayMs),
    )
  }

  #open(): void {
    const { other } = this
    const conditions = this.#conditions
    if (this.#state !== 'negotiating' || other === undefined || conditions === undefined) return
    if (other.#state === 'closed') return
    this.#state = 'open'
    const sending = conditions.from.get(this.client) as PipeConditions
    for (const lane of LANES) {
      // SCTP repairs loss and order on the other lanes; `latest` feels both.
      const lossy = lane === 'latest'
      const own = Object.create(sending, {
        loss: { get: () => (lossy ? sending.loss : 0) },
        repeats: { get: () => 0 },
        ordered: { get: () => !lossy },
        delayMs: { get: () => sending.delayMs + (lossy ? 0 : this.#repairMs(sending)) },
      }) as PipeConditions
      const pipe = new SimPipe<Uint8Array>(
        this.paths.clock,
        this.paths.random,
        own,
        (frame) => other.#arrive(lane, frame),
        (before) => {
          if (before <= channel.bufferedAmountLowThreshold || pipe.queuedBytes > channel.bufferedAmountLowThreshold)
            return
          if (packing.drained()) this.options.events.writable(this, lane)
        },
      )
      const channel: LaneChannel = {
        get bufferedAmount() {
          return pipe.queuedBytes
        },
        bufferedAmountLowThreshold: 0,
        send: (message) => pipe.put(message.slice(), message.length),
      }
      const packing = new PackingLane(channel, LANE_BUFFERS[lane], () => this.paths.clock.now())
      this.#pipes.push(pipe)
      this.#lanes.set(lane, packing)
    }
    this.options.events.opened(this)
  }

  /** A lost packet costs a reliable channel a round trip or two, now and then. */
  #repairMs(sending: PipeConditions): number {
    return this.paths.random.chance(sending.loss) ? 200 + 2 * sending.delayMs : 0
  }

  #arrive(lane: PathLane, message: Uint8Array): void {
    unpack(message, (frame) => {
      if (this.#state !== 'open' || this.#mute || this.#conditions?.hollow === true) return
      this.options.events.frame(this, lane, frame)
    })
  }

  send(lane: PathLane, frame: Uint8Array): boolean {
    return this.#state === 'open' && this.#lanes.get(lane)?.send(frame as Uint8Array<ArrayBuffer>) === true
  }

  bufferedBytes(lane: PathLane): number {
    return this.#lanes.get(lane)?.bufferedBytes ?? 0
  }

  writtenBytes(lane: PathLane): number {
    return this.#lanes.get(lane)?.writtenBytes ?? 0
  }

  async statistics(): Promise<PathStatistics> {
    return NO_STATISTICS
  }

  close(): void {
    this.#end('closed here')
    const { other } = this
    if (other === undefined) return
    const conditions = this.#conditions?.from.get(this.client)
    this.paths.clock.setTimeout(() => {
      if (conditions?.blackhole !== true) other.#end('closed by the other side')
    }, conditions?.delayMs ?? 0)
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.paths.paths.delete(this)
    for (const pipe of this.#pipes) pipe.close()
    this.options.events.closed(this, reason)
  }
}
