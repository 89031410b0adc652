import type { Access } from '../../signaling/access/access-tokens.ts'
import type { HubDependencies } from '../../signaling/hub.ts'
import type { HubOptions } from '../../signaling/limits/hub-options.ts'
import type { FillRandom, Json } from '../../signaling/protocol/index.ts'
import type { OpenCarrier } from '../../web/client/carriers/carrier.ts'
import { SignedChannels } from '../../web/client/channel/signed.ts'
import { Transfers } from '../../web/client/channel/transfers.ts'
import type { JoinOptions } from '../../web/client/face.ts'
import { RoomHistory } from '../../web/client/history/room-history.ts'
import { parseJoinOptions } from '../../web/client/options.ts'
import { PathsBeside } from '../../web/client/paths/paths-beside.ts'
import { RoomPaths } from '../../web/client/paths/room-paths.ts'
import { ClientRoom } from '../../web/client/room.ts'
import { RoomClaims } from '../../web/client/room-claims.ts'
import type { RoomWorld } from '../../web/client/room-world.ts'
import type { Primitives } from '../../web/client/sealing/primitives.ts'
import * as SealedProfiles from '../../web/client/sealing/sealed-profile.ts'
import type { NetworkEvent } from '../../web/client/uplink/network-events.ts'
import { nodePrimitives } from '../support/node-primitives.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimClock } from './sim-clock.ts'
import { SimPaths } from './sim-paths.ts'
import { clearUplink, SimServer, type UplinkConditions } from './sim-server.ts'
import { WatchedNonces } from './watched-nonces.ts'

export interface SimClient {
  readonly name: string
  readonly room: ClientRoom<Json>
  readonly uplink: UplinkConditions
  network(event: NetworkEvent): void
}

/** Real rooms and the real hub over a simulated network, under one clock and one source of chance. */
export class SimWorld {
  readonly clock = new SimClock()
  readonly random: SeededRandom
  readonly server: SimServer
  readonly paths: SimPaths
  readonly nonces = new WatchedNonces()
  readonly clients: SimClient[] = []

  constructor(
    seed: number,
    private readonly options: {
      readonly hub?: Partial<HubOptions>
      readonly delayMs?: () => number
      readonly access?: Access
      /** What the server keeps, and where: the same after it was started again. */
      readonly history?: HubDependencies['history']
      /** Real ones, if nothing is said. */
      readonly primitives?: (fill: FillRandom) => Primitives
      /** How the code for it is loaded. Nothing said: it is there. */
      readonly claims?: RoomWorld['claims']
      readonly historyCode?: RoomWorld['history']
      /** What sits between a client, by its name, and the server. */
      readonly between?: (name: string, open: OpenCarrier) => OpenCarrier
    } = {},
  ) {
    this.random = new SeededRandom(seed)
    this.server = new SimServer(this.clock, this.random, options.hub, options.access, options.history)
    this.paths = new SimPaths(this.clock, this.random, options.delayMs ?? (() => 20))
  }

  /** `nearWrap`: sequence numbers of the room's streams begin shortly before they wrap. */
  join(roomName: string, name: string, options: JoinOptions = {}, delayMs = 20, nearWrap = false): SimClient {
    const uplink = clearUplink(delayMs)
    const opens = this.server.open(uplink)
    const handlers = new Set<(event: NetworkEvent) => void>()
    const random = new SeededRandom(this.random.integer(0, 2 ** 32))
    // A room draws its streams' first numbers first.
    let drawn = 0
    const draw = (): number => {
      drawn += 1
      return nearWrap && drawn <= 2 ? 1 - random.next() * 1e-7 : random.next()
    }
    const room = new ClientRoom<Json>(roomName, parseJoinOptions({ server: 'https://sim.example/', ...options }), {
      clock: this.clock,
      wallMs: () => this.clock.now(),
      random: draw,
      fillRandom: random.fill,
      openCarrier: this.options.between?.(name, opens) ?? opens,
      network: {
        on: (handler) => {
          handlers.add(handler)
          return () => handlers.delete(handler)
        },
      },
      primitives: this.nonces.watch((this.options.primitives ?? nodePrimitives)(random.fill)),
      claims: this.options.claims ?? (async () => RoomClaims),
      history: this.options.historyCode ?? (async () => RoomHistory),
      transfers: async () => Transfers,
      signing: async () => SignedChannels,
      sealedProfiles: async () => SealedProfiles,
      directPaths: async () => (most: number) => new RoomPaths(this.paths.connect(name), most, async () => PathsBeside),
    })
    const client: SimClient = {
      name,
      room,
      uplink,
      network: (event) => {
        for (const handler of [...handlers]) handler(event)
      },
    }
    this.clients.push(client)
    return client
  }
}
