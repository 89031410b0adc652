/**
 * All that it takes to reach others directly. In the bundle this is a file of its own, which joining does not wait for:
 * the relay carries until it is there.
 */
import { Attempts } from './attempts.ts'
import type { AttemptsOptions } from './attempts-options.ts'
import type { Connect } from './path.ts'
import { BESIDE_IN_ROOM, PathsBeside, type PathsBesideOptions } from './paths-beside.ts'
import { connectPeer } from './peer-connection.ts'
import { SlotPool } from './slots.ts'
import { loadWebRtc } from './webrtc.ts'

/** Of one room. */
export class DirectPaths {
  readonly #connect: Connect | undefined
  readonly #slots: SlotPool
  readonly #besideSlots = new SlotPool(BESIDE_IN_ROOM)

  /** `connect`: how peer connections are made; `undefined` where there is no WebRTC. */
  constructor(connect: Connect | undefined, maxDirectPeers: number) {
    this.#connect = connect
    this.#slots = new SlotPool(maxDirectPeers)
  }

  attempts(options: Omit<AttemptsOptions, 'connect' | 'slots'>): Attempts {
    return new Attempts({ ...options, connect: this.#connect, slots: this.#slots })
  }

  beside(options: Omit<PathsBesideOptions, 'connect' | 'slots'>): PathsBeside | undefined {
    const connect = this.#connect
    return connect && new PathsBeside({ ...options, connect, slots: this.#besideSlots })
  }
}

export type MakeDirectPaths = (maxDirectPeers: number) => DirectPaths

/** Of this browser, or this Node. Never rejects. */
export async function loadDirectPaths(): Promise<MakeDirectPaths> {
  const connect = (await loadWebRtc()) ? connectPeer : undefined
  return (maxDirectPeers) => new DirectPaths(connect, maxDirectPeers)
}
