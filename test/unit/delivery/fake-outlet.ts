import type { Outlet, OutletLane } from '../../../web/client/delivery/outlet.ts'
import { RoundTrip } from '../../../web/client/delivery/round-trip.ts'

/** A path that keeps what it takes until its test fetches it. */
export class FakeOutlet implements Outlet {
  readonly roundTrip = new RoundTrip()
  readonly frames: Uint8Array[] = []
  windowBytes = Number.POSITIVE_INFINITY
  full = false
  /** Bytes taken; of them, the last so many have not left. */
  takenBytes = 0
  waitingBytes = 0

  constructor(
    readonly tag: number,
    readonly kind: 'direct' | 'turn' | 'relay' = 'direct',
  ) {}

  send(_lane: OutletLane, frame: Uint8Array): boolean {
    if (this.full) return false
    this.frames.push(frame)
    this.takenBytes += frame.length
    return true
  }

  writtenBytes(): number {
    return this.takenBytes
  }

  leftBytes(): number {
    return this.takenBytes - this.waitingBytes
  }

  take(): Uint8Array[] {
    return this.frames.splice(0)
  }
}
