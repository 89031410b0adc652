import { Attempts } from './attempts.ts'
import type { AttemptsOptions } from './attempts-options.ts'
import type { Connect } from './path.ts'
import { BESIDE_IN_ROOM, PathsBeside, type PathsBesideOptions } from './paths-beside.ts'
import { SlotPool } from './slots.ts'

/** What makes the direct paths of one room's links: they share its slots. */
export class RoomPaths {
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
