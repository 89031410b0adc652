import { LIMITS } from '../../../signaling/protocol/index.ts'
import type { Outlet, OutletLane } from '../delivery/outlet.ts'
import { RoundTrip } from '../delivery/round-trip.ts'

/** Eight full fragments: what any server queues for a reader without complaint. */
const FIRST_WINDOW_BYTES = 131_072
const LEAST_WINDOW_BYTES = 32_768
/** The server's own queue for a reader is larger than this, so that one sender alone cannot fill it. */
const MOST_WINDOW_BYTES = 2_097_152

/**
 * The relay to one member: the uplink, with a congestion window of its own, because what the server cannot hand on
 * it drops. Slow start, then linear growth; halved when frames were lost, at most once a round trip (RFC 5681).
 */
export class RelayOutlet implements Outlet {
  readonly kind = 'relay'
  readonly roundTrip = new RoundTrip()
  #windowBytes = FIRST_WINDOW_BYTES
  #thresholdBytes = MOST_WINDOW_BYTES
  #reducedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    readonly tag: number,
    private readonly transmit: (frame: Uint8Array) => boolean,
  ) {}

  get windowBytes(): number {
    return this.#windowBytes
  }

  send(_lane: OutletLane, frame: Uint8Array): boolean {
    return this.transmit(frame)
  }

  /** What waits before the uplink's socket is part of the way: its window keeps it short. */
  writtenBytes(): number {
    return 0
  }

  leftBytes(): number {
    return 0
  }

  acknowledged(bytes: number): void {
    const growth =
      this.#windowBytes < this.#thresholdBytes ? bytes : (bytes * LIMITS.fragmentBytes) / Math.max(1, this.#windowBytes)
    this.#windowBytes = Math.min(MOST_WINDOW_BYTES, this.#windowBytes + growth)
  }

  lost(nowMs: number): void {
    if (nowMs - this.#reducedAtMs < (this.roundTrip.smoothedMs ?? 100)) return
    this.#reducedAtMs = nowMs
    this.#windowBytes = Math.max(LEAST_WINDOW_BYTES, this.#windowBytes / 2)
    this.#thresholdBytes = this.#windowBytes
  }
}
