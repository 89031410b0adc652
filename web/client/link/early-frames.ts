import { LIMITS } from '../../../signaling/protocol/index.ts'
import { ownBytes } from '../delivery/receive-budget.ts'
import type { WatchedPath } from './watched-path.ts'

export interface EarlyFrame {
  readonly frame: Uint8Array
  /** By which of our paths it came; absent: the relay. */
  readonly via: WatchedPath | undefined
}

/** What came before the peer's greeting, and is held for it. */
export class EarlyFrames {
  #frames: EarlyFrame[] = []
  #bytes = 0

  hold(frame: Uint8Array, via: WatchedPath | undefined): void {
    if (this.#bytes + frame.length > LIMITS.earlyBytes) return
    this.#frames.push({ frame: ownBytes(frame), via })
    this.#bytes += frame.length
  }

  take(): readonly EarlyFrame[] {
    const frames = this.#frames
    this.#frames = []
    this.#bytes = 0
    return frames
  }
}
