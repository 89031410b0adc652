import type { InstanceId } from '../../signaling/protocol/index.ts'

/** Which instance we are: the one that follows from our keys, unless somebody had to know before there were any. */
export class OwnInstance {
  #id: InstanceId | undefined

  /** `spare`: random. */
  constructor(private readonly spare: InstanceId) {}

  /** From the first time on that it is asked for, it stays the same. */
  get id(): InstanceId {
    this.#id ??= this.spare
    return this.#id
  }

  /** There are keys, from which this one follows. */
  readonly bind = (derived: InstanceId): InstanceId => {
    this.#id ??= derived
    return this.#id
  }
}
