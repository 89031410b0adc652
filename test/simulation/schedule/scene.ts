import { nodePrimitives } from '../../support/node-primitives.ts'
import { cheapPrimitives } from '../cheap-primitives.ts'
import { SeededRandom } from '../seeded-random.ts'
import { SimWorld } from '../sim-world.ts'

export interface ScheduleOptions {
  readonly seed: number
  readonly peers: number
  /** How long things go wrong, ms of simulated time. */
  readonly troubleMs: number
  /** Sealing with real cryptography, not with what stands in for it. */
  readonly realCiphers?: boolean
  readonly trace?: (line: string) => void
}

/** What all parts of a schedule share: its chance, its world, and what was found wrong. */
export class Scene {
  readonly random: SeededRandom
  readonly world: SimWorld
  readonly violations: string[] = []
  readonly startMs: number
  /** Something happened for which a member may be cut off: it reads slowly, or was out of reach for a grace period. */
  mayCut = false

  constructor(readonly options: ScheduleOptions) {
    const random = new SeededRandom(options.seed ^ 0x5eed)
    this.random = random
    this.world = new SimWorld(options.seed, {
      delayMs: () => random.pick([1, 5, 25, 100]),
      primitives: options.realCiphers === true ? nodePrimitives : cheapPrimitives,
    })
    this.startMs = this.world.clock.now()
  }

  trace(line: string): void {
    this.options.trace?.(`${String(this.world.clock.now() - this.startMs).padStart(8)} ${line}`)
  }
}
