import { LIMITS } from '../../../signaling/protocol/index.ts'
import { before, distance, plus } from './serial.ts'

export type Arrival =
  /** Never seen: take it. */
  | 'new'
  /** Seen: acknowledge it again, and drop it. */
  | 'repeat'
  /** Beyond what any sender may have in flight: drop it. */
  | 'beyond'

/** Which frames of one stream have come: everything before `next`, and a bitmap beyond. */
export class IncomingStream {
  /** The first frame that has not come. */
  next: number
  /** One past the highest frame that has come. */
  #end: number
  readonly #come = new Uint8Array(LIMITS.windowFrames)

  constructor(start: number) {
    this.next = start
    this.#end = start
  }

  look(seq: number): Arrival {
    if (before(seq, this.next)) return 'repeat'
    if (distance(this.next, seq) >= LIMITS.windowFrames) return 'beyond'
    return this.#come[seq % LIMITS.windowFrames] === 1 ? 'repeat' : 'new'
  }

  /** `seq` was `new`, and has been taken. */
  take(seq: number): void {
    if (before(this.#end, plus(seq, 1))) this.#end = plus(seq, 1)
    if (seq !== this.next) {
      this.#come[seq % LIMITS.windowFrames] = 1
      return
    }
    this.next = plus(seq, 1)
    while (this.#come[this.next % LIMITS.windowFrames] === 1) {
      this.#come[this.next % LIMITS.windowFrames] = 0
      this.next = plus(this.next, 1)
    }
  }

  /** Bit i: frame `next + 1 + i` has come. Empty when there is no gap. */
  bitmap(): Uint8Array {
    const span = distance(this.next, this.#end)
    if (span <= 1) return NO_GAP
    const bitmap = new Uint8Array(Math.ceil((span - 1) / 8))
    for (let index = 0; index < span - 1; index += 1) {
      if (this.#come[plus(this.next, 1 + index) % LIMITS.windowFrames] === 1) {
        bitmap[index >>> 3] = (bitmap[index >>> 3] as number) | (1 << (index & 7))
      }
    }
    return bitmap
  }
}

const NO_GAP = new Uint8Array()
