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

/** One watched connection: there are many, so it is no more than its times. */
class Watched implements Pulse {
  readonly beating: Beating
  heardMs: number
  pingedMs: number
  held = false
  readonly #heartbeat: Heartbeat

  constructor(heartbeat: Heartbeat, beating: Beating, nowMs: number) {
    this.#heartbeat = heartbeat
    this.beating = beating
    this.heardMs = nowMs
    this.pingedMs = nowMs
  }

  /** As of the last sweep: early by one at most, and no clock is read for every message. */
  heard(): void {
    this.heardMs = this.#heartbeat.sweptMs
  }

  hold(held: boolean): void {
    this.held = held
    this.heard()
  }

  stop(): void {
    this.#heartbeat.forget(this)
  }
}

/** Notices silent peers on one timer for all connections, the same with every engine. */
export class Heartbeat {
  readonly #watched = new Set<Watched>()
  readonly #now: () => number
  readonly #options: HeartbeatOptions
  sweptMs: number

  constructor(now: () => number, options: HeartbeatOptions = HEARTBEAT) {
    this.#now = now
    this.#options = options
    this.sweptMs = this.#nowMs()
  }

  watch(beating: Beating): Pulse {
    const watched = new Watched(this, beating, this.#nowMs())
    this.#watched.add(watched)
    return watched
  }

  /** Whole ms: a number that needs no memory of its own. */
  #nowMs(): number {
    return Math.floor(this.#now())
  }

  forget(watched: Pulse): void {
    this.#watched.delete(watched as Watched)
  }

  /** Call every `sweepEveryMs`. */
  sweep(): void {
    const now = this.#nowMs()
    // When this process itself stood still, what the peers said meanwhile has not been read yet: that is not their silence.
    const lateMs = Math.max(0, now - this.sweptMs - 2 * this.#options.sweepEveryMs)
    this.sweptMs = now
    for (const entry of this.#watched) {
      if (lateMs > 0) entry.heardMs = Math.min(now, entry.heardMs + lateMs)
      const silentMs = now - entry.heardMs
      if (entry.held || silentMs < this.#options.pingAfterMs) continue
      if (silentMs >= this.#options.closeAfterMs) {
        this.#watched.delete(entry)
        entry.beating.silent()
      } else if (now - entry.pingedMs >= this.#options.pingAfterMs) {
        entry.pingedMs = now
        entry.beating.ping()
      }
    }
  }
}
