import type { OpenCarrier } from './carriers/carrier.ts'
import type { CarrierChoice } from './carriers/choice.ts'
import type { SignedChannels } from './channel/signed.ts'
import type { Transfers } from './channel/transfers.ts'
import type { Clock } from './clock.ts'
import type { RoomHistory } from './history/room-history.ts'
import type { MakeRoomPaths } from './paths/direct-paths.ts'
import type { RoomClaims } from './room-claims.ts'
import type { Primitives } from './sealing/primitives.ts'
import type * as SealedProfiles from './sealing/sealed-profile.ts'
import type { NetworkEvents } from './uplink/network-events.ts'

/** What a room needs of the world: a browser, Node, or a simulation. */
export interface RoomWorld {
  readonly clock: Clock
  /** ms since 1970 as this machine believes. */
  wallMs(): number
  /** 0 ≤ value < 1. */
  readonly random: () => number
  fillRandom(bytes: Uint8Array): void
  readonly openCarrier: OpenCarrier
  /** The way up from a lesser carrier. Default: none. */
  readonly choice?: Pick<CarrierChoice, 'better' | 'changed' | 'measured'>
  readonly network: NetworkEvents
  /** Asked for once the server has been. Nothing when it could not be loaded: the relay carries everything. */
  directPaths(): Promise<MakeRoomPaths | undefined>
  /** What tells of ourselves in a sealed room. Rejects when it could not be loaded: it is asked again. */
  claims(): Promise<typeof RoomClaims>
  /** What the server keeps. Rejects when it could not be loaded: it is asked for again. */
  history(): Promise<typeof RoomHistory>
  /** What moves files. Rejects when it could not be loaded: it is asked for again. Default: its own file. */
  transfers?(): Promise<typeof Transfers>
  /** What signs. Rejects when it could not be loaded: it is asked for again. Default: its own file. */
  signing?(): Promise<typeof SignedChannels>
  /** What seals profiles. Rejects when it could not be loaded. Default: its own file. */
  sealedProfiles?(): Promise<typeof SealedProfiles>
  /** Absent where there is no WebCrypto. */
  readonly primitives: Primitives | undefined
}
