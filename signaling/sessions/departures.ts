import type { PeerId } from '../protocol/ids.ts'

/**
 * Ids that left, expired or were removed, for as long as a session token of theirs may still be good. Such a token is
 * refused, also after a restart when the store outlives it. Ids are 64 random bits, so the room need not be named.
 */
export interface DepartureStore {
  add(id: PeerId, untilMs: number): void
  has(id: PeerId, nowMs: number): boolean
  /** Nothing is added after this. */
  close(): void
}

/**
 * Departures remembered at once: 55 a second for an hour, some 20 MB. Beyond, the oldest are forgotten: such a member
 * could come back under its old id with its own token, which harms nobody but a room that removed it.
 */
export const MOST_DEPARTURES = 200_000

/** Departures until the process ends. */
export class MemoryDepartures implements DepartureStore {
  readonly #most: number
  readonly #untilMs = new Map<PeerId, number>()

  constructor(most: number = MOST_DEPARTURES) {
    this.#most = most
  }

  get size(): number {
    return this.#untilMs.size
  }

  add(id: PeerId, untilMs: number): void {
    // At the end again, since a Map keeps the place of a key: the first are the oldest.
    this.#untilMs.delete(id)
    this.#untilMs.set(id, untilMs)
    if (this.#untilMs.size > this.#most) this.#forgetOldest()
  }

  has(id: PeerId, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(id)
    if (untilMs === undefined) return false
    if (untilMs > nowMs) return true
    this.#untilMs.delete(id)
    return false
  }

  /** Forget what has run out. */
  sweep(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(id)
  }

  entries(): IterableIterator<[PeerId, number]> {
    return this.#untilMs.entries()
  }

  close(): void {}

  #forgetOldest(): void {
    for (const id of this.#untilMs.keys()) {
      this.#untilMs.delete(id)
      return
    }
  }
}
