import type { InstanceId } from '../../../signaling/protocol/index.ts'
import type { HeldKeys } from './held-keys.ts'
import { compare } from './octets.ts'
import { ReplayWindow } from './replay-window.ts'

/** Instances that have left, and of which something had opened. */
export const REMEMBERED = 1_024

/** What is known of another running client, under whatever ids the server shows it. Outlives its links. */
export class Instance {
  /** The highest counter of any record that has opened. */
  newest = 0
  /** How many members of the room it is now. */
  members = 0
  #window: ReplayWindow | undefined

  constructor(
    /** The one that counts. */
    public announcement: Uint8Array,
    /** It follows from the keys: nobody else can have it. */
    readonly bound: boolean,
    readonly keys: HeldKeys,
  ) {}

  /** False: a record with this counter was taken before. */
  take(counter: number): boolean {
    this.#window ??= new ReplayWindow()
    return this.#window.take(counter)
  }

  /** No member of the room any more: everything so far is `newest` or before it. */
  rest(): void {
    this.#window = undefined
  }
}

export class Instances {
  readonly #instances = new Map<InstanceId, Instance>()

  get(id: InstanceId): Instance | undefined {
    return this.#instances.get(id)
  }

  /** By another announcement than this one. `bound`: it follows from the keys. */
  isTaken(id: InstanceId, announcement: Uint8Array, bound: boolean): boolean {
    const known = this.#instances.get(id)
    if (known === undefined || compare(known.announcement, announcement) === 0) return false
    // Of the same keys: whose they are shows when something opens.
    return !bound || (known.bound && known.newest > 0)
  }

  /** It is, or is again, a member. */
  enter(id: InstanceId, instance: Instance): void {
    this.#instances.set(id, instance)
    instance.members += 1
  }

  leave(id: InstanceId, instance: Instance): void {
    instance.members -= 1
    if (instance.members > 0) return
    instance.rest()
    this.#instances.delete(id)
    // Of one that never said anything, nothing can be repeated: a server that makes members up pushes nobody out.
    if (instance.newest > 0) this.#instances.set(id, instance)
    const resting = [...this.#instances].filter(([, { members }]) => members === 0)
    for (const [oldest] of resting.slice(0, -REMEMBERED)) this.#instances.delete(oldest)
  }
}
