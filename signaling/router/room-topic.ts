import type { PeerId } from '../protocol/ids.ts'
import type { Outlet } from './outlet.ts'
import type { Receiver, Sender } from './router.ts'

/** So much may be published before queues are looked at: what a stalled reader may be given beyond its bound. */
const LOOK_BYTES = 65_536
const LOOK_FRAMES = 64

/**
 * A room whose frames to all go out in one call where its members' carriers can do that. Members who are away, who
 * read slowly, or whose carrier has no topics stand apart, and are reached one by one.
 *
 * Nobody says what became of what was published, so queues are looked at every so often: who has one stands apart until
 * it has none, and the rules for slow readers hold for it.
 */
export class RoomTopic {
  readonly #topic: string
  readonly #reach: ReadonlyMap<PeerId, Receiver>
  /** Receivers who are not reached by `publish`. */
  #apart: Receiver[] = []
  #changes = -1
  #bytes = 0
  #frames = 0
  #stretch = -1

  constructor(topic: string, reach: ReadonlyMap<PeerId, Receiver>) {
    this.#topic = topic
    this.#reach = reach
  }

  /** Who has to be reached one by one, if `sender` publishes now; undefined when it cannot. */
  apartFrom(sender: Sender, size: number): readonly Receiver[] | undefined {
    this.#bytes += size
    this.#frames += 1
    if (this.#bytes > LOOK_BYTES || this.#frames > LOOK_FRAMES || this.#changes !== sender.reachChanges) {
      this.#changes = sender.reachChanges
      this.#look()
    }
    return sender.outlet?.hears(this) === true ? this.#apart : undefined
  }

  /** Whether it is the first in this stretch of `Turns`. */
  publish(outlet: Outlet, bytes: Uint8Array, stretch: number): boolean {
    outlet.publish(this.#topic, bytes)
    const first = this.#stretch !== stretch
    this.#stretch = stretch
    return first
  }

  /** One has just begun to stand apart. */
  stale(): void {
    this.#changes = -1
  }

  #look(): void {
    this.#bytes = 0
    this.#frames = 0
    const apart: Receiver[] = []
    for (const receiver of this.#reach.values()) {
      if (receiver.outlet?.hear(this, this.#topic) !== true) apart.push(receiver)
    }
    this.#apart = apart
  }
}
