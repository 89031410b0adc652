/** The right to have one peer connection (and, while it is replaced, its replacement beside it). */
export interface Slot {
  /** Idempotent. */
  release(): void
}

/**
 * How many peers of a room are reached by peer connections at one time; shared by all links of the room. Those who find
 * none free wait in line, and a freed slot goes to the first.
 */
export class SlotPool {
  #used = 0
  readonly #waiting = new Set<(slot: Slot) => void>()

  /** `limit`: `maxDirectPeers`, 16 unless the application says otherwise. */
  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** A slot, if one is free and nobody stands in line for it. */
  take(): Slot | undefined {
    return this.#used < this.limit && this.#waiting.size === 0 ? this.#slot() : undefined
  }

  /** Stand in line. `granted` is called once, out of another's `release`. Returns the function that leaves the line. */
  wait(granted: (slot: Slot) => void): () => void {
    const entry = (slot: Slot): void => granted(slot)
    this.#waiting.add(entry)
    this.#grant()
    return () => this.#waiting.delete(entry)
  }

  #slot(): Slot {
    this.#used += 1
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#used -= 1
        this.#grant()
      },
    }
  }

  #grant(): void {
    for (const entry of this.#waiting) {
      if (this.#used >= this.limit) return
      this.#waiting.delete(entry)
      entry(this.#slot())
    }
  }
}
