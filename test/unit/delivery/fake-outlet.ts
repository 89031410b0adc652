import type { Lane } from '../../../signaling/protocol/index.ts'
import type { Outlet } from '../../../web/client/delivery/outlet.ts'
import { RoundTrip } from '../../../web/client/delivery/round-trip.ts'

/** A path that keeps what it takes until its test fetches it. */
export class FakeOutlet implements Outlet {
  readonly roundTrip = new RoundTrip()
  readonly frames: Uint8Array[] = []
  windowBytes = Number.POSITIVE_INFINITY
  full = false

  constructor(
    readonly tag: number,
    readonly kind: 'direct' | 'turn' | 'relay' = 'direct',
  ) {}

  send(_lane: Lane, frame: Uint8Array): boolean {
    if (this.full) return false
    this.frames.push(frame)
    return true
  }

  take(): Uint8Array[] {
    return this.frames.splice(0)
  }
}
