import type { Lane } from '../../../signaling/protocol/index.ts'
import type { RoundTrip } from './round-trip.ts'

/** What the links say to each other, acknowledgements and pings, has a lane of its own where the path has lanes. */
export type OutletLane = Lane | 'control'

/** A path as the streams see it: it may lose, repeat and reorder what it takes. */
export interface Outlet {
  /** Names this incarnation of the path: a reconnected uplink or a new peer connection is another outlet. */
  readonly tag: number
  readonly kind: 'direct' | 'turn' | 'relay'
  readonly roundTrip: RoundTrip
  /** `false`: it takes nothing now, and calls back when it does. */
  send(lane: OutletLane, frame: Uint8Array): boolean
  /** Where the newest frame handed to a lane ends: bytes handed to it so far. */
  writtenBytes(lane: Lane): number
  /** As far as this the lane has been sent: what ends beyond waits in a buffer of this side, and cannot have come yet. */
  leftBytes(lane: Lane): number
  /** Bytes that may be in flight to this member by this path at once. */
  readonly windowBytes: number
}
