import { Attempts } from './attempts.ts'
import type { AttemptsOptions } from './attempts-options.ts'
import { BesideOnDemand } from './beside-on-demand.ts'
import type { Connect } from './path.ts'
import type { PathsBeside, PathsBesideOptions } from './paths-beside.ts'
import { SlotPool } from './slots.ts'

/** Peer connections beside others, over all links of a room: four large transfers. Each costs a browser some 100 kB and a socket. */
const BESIDE_IN_ROOM = 24

const loadBeside = async (): Promise<typeof PathsBeside> => (await import('./paths-beside.ts')).PathsBeside

/** What makes the direct paths of one room's links: they share its slots. */
export class RoomPaths {
  readonly #connect: Connect | undefined
  readonly #slots: SlotPool
  readonly #besideSlots = new SlotPool(BESIDE_IN_ROOM)

  /** `connect`: how peer connections are made; `undefined` where there is no WebRTC. */
  constructor(
    connect: Connect | undefined,
    maxDirectPeers: number,
    private readonly loadPathsBeside = loadBeside,
  ) {
    this.#connect = connect
    this.#slots = new SlotPool(maxDirectPeers)
  }

  attempts(options: Omit<AttemptsOptions, 'connect' | 'slots'>): Attempts {
    return new Attempts({ ...options, connect: this.#connect, slots: this.#slots })
  }

  beside(options: Omit<PathsBesideOptions, 'connect' | 'slots'>): BesideOnDemand | undefined {
    const connect = this.#connect
    if (connect === undefined) return undefined
    return new BesideOnDemand(async () => {
      const Beside = await this.loadPathsBeside()
      return new Beside({ ...options, connect, slots: this.#besideSlots })
    })
  }
}
