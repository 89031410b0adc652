/** What a heartbeat asks of a connection. */
export interface Beating {
  ping(): void
  /** Nothing was heard for `closeAfterMs`. */
  silent(): void
}

export interface Pulse {
  /** Anything came from the peer, or bytes queued for it moved. */
  heard(): void
  /** A connection that we stopped reading cannot be heard. */
  hold(held: boolean): void
  stop(): void
}

export interface HeartbeatOptions {
  /** Silence after which a ping is sent, and the time between pings. */
  readonly pingAfterMs: number
  /** Silence after which the peer is taken for dead. */
  readonly closeAfterMs: number
  /** How often `sweep` is to be called. */
  readonly sweepEveryMs: number
}

/** A dead peer is noticed within 10 s; a live one has two more pings to answer after a lost packet. */
export const HEARTBEAT: HeartbeatOptions = Object.freeze({
  pingAfterMs: 3_000,
  closeAfterMs: 9_000,
  sweepEveryMs: 1_000,
})

interface Entry {
  readonly beating: Beating
  heardMs: number
  pingedMs: number
  held: boolean
}

/** Notices silent peers on one timer for all connections, the same with every engine. */
export class Heartbeat {
  readonly #entries = new Set<Entry>()
  readonly #now: () => number
  readonly #options: HeartbeatOptions
  #sweptMs: number

  constructor(now: () => number, options: HeartbeatOptions = HEARTBEAT) {
    this.#now = now
    this.#options = options
    this.#sweptMs = now()
  }

  watch(beating: Beating): Pulse {
    const now = this.#now()
    const entry: Entry = { beating, heardMs: now, pingedMs: now, held: false }
    this.#entries.add(entry)
    return {
      heard: () => {
        entry.heardMs = this.#now()
      },
      hold: (held) => {
        entry.held = held
        entry.heardMs = this.#now()
      },
      stop: () => {
        this.#entries.delete(entry)
      },
    }
  }

  /** Call every `sweepEveryMs`. */
  sweep(): void {
    const now = this.#now()
    // When this process itself stood still, what the peers said meanwhile has not been read yet: that is not their silence.
    const lateMs = Math.max(0, now - this.#sweptMs - 2 * this.#options.sweepEveryMs)
    this.#sweptMs = now
    for (const entry of [...this.#entries]) {
      if (lateMs > 0) entry.heardMs = Math.min(now, entry.heardMs + lateMs)
      const silentMs = now - entry.heardMs
      if (entry.held || silentMs < this.#options.pingAfterMs) continue
      if (silentMs >= this.#options.closeAfterMs) {
        this.#entries.delete(entry)
        entry.beating.silent()
      } else if (now - entry.pingedMs >= this.#options.pingAfterMs) {
        entry.pingedMs = now
        entry.beating.ping()
      }
    }
  }
}
