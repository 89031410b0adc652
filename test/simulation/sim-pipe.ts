import type { SeededRandom } from './seeded-random.ts'
import type { SimClock } from './sim-clock.ts'

/** How one direction of a simulated connection treats what is put in. Changed live by a schedule. */
export interface PipeConditions {
  delayMs: number
  jitterMs: number
  /** Share of messages that vanish; only where nothing below repairs it. */
  loss: number
  /** Share of messages that come twice; likewise. */
  repeats: number
  /** Keep order, as TCP and reliable data channels do. */
  ordered: boolean
  /** Everything vanishes, in silence. */
  blackhole: boolean
  /** Bytes a second; 0 is unlimited. */
  bytesPerSecond: number
}

export const clearPipe = (delayMs: number): PipeConditions => ({
  delayMs,
  jitterMs: 0,
  loss: 0,
  repeats: 0,
  ordered: true,
  blackhole: false,
  bytesPerSecond: 0,
})

/** One direction of a connection: takes messages, and hands them on later, or not. */
export class SimPipe<T> {
  #freeAtMs = 0
  #lastAtMs = 0
  #queuedBytes = 0
  #closed = false

  constructor(
    private readonly clock: SimClock,
    private readonly random: SeededRandom,
    readonly conditions: PipeConditions,
    private readonly deliver: (message: T) => void,
    /** Something has left; told how many bytes were queued before. */
    private readonly drained: (beforeBytes: number) => void = () => {},
  ) {}

  /** Bytes put in that have not left yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  put(message: T, bytes: number): void {
    if (this.#closed) return
    const { conditions, clock, random } = this
    const nowMs = clock.now()
    const takesMs = conditions.bytesPerSecond > 0 ? (bytes / conditions.bytesPerSecond) * 1_000 : 0
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + takesMs
    if (this.#freeAtMs > nowMs) {
      this.#queuedBytes += bytes
      clock.setTimeout(() => {
        this.#queuedBytes -= bytes
        if (!this.#closed) this.drained(this.#queuedBytes + bytes)
      }, this.#freeAtMs - nowMs)
    }
    const copies = random.chance(conditions.repeats) ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      if (random.chance(conditions.loss)) continue
      let atMs = this.#freeAtMs + conditions.delayMs + random.next() * conditions.jitterMs
      if (conditions.ordered) atMs = Math.max(atMs, this.#lastAtMs)
      this.#lastAtMs = Math.max(this.#lastAtMs, atMs)
      clock.setTimeout(() => {
        // What is under way when the lights go out is gone too.
        if (!this.#closed && !conditions.blackhole) this.deliver(message)
      }, atMs - nowMs)
    }
  }

  close(): void {
    this.#closed = true
  }
}
