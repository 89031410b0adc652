import { LIMITS } from '../../../signaling/protocol/index.ts'

/**
 * Of what the others leave, one part in this many is not one sender's to take: whatever its channels hold unread, the
 * next sender finds room, and of several that hold all they may, each holds as much (dynamic thresholds, Choudhury and
 * Hahne 1998). A sender alone has 12.8 of 16 MiB, more than the largest message; four have 3.8 each.
 */
const KEPT_PART = 5
/** What a message costs beside its bytes, so that empty ones are bounded too. */
export const OVERHEAD_BYTES = 64
/** No sender holds more than so many times the budget, by what is taken beyond it so that streams move. */
const MOST_BEYOND = 4

/** The same bytes, without the much larger message that they came in. */
export const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes

/** What this member holds of incomplete, early and unread messages, over all its links. */
export class ReceiveBudget {
  heldBytes = 0
  /** Links that share it. */
  links = 0

  constructor(readonly totalBytes: number = LIMITS.receiveBytes) {}

  /** One sender's part. */
  share(): ReceiveShare {
    return new ReceiveShare(this)
  }
}

/** What is held of one sender. */
export class ReceiveShare {
  #heldBytes = 0

  constructor(private readonly budget: ReceiveBudget) {}

  add(bytes: number): void {
    this.#heldBytes += bytes
    this.budget.heldBytes += bytes
  }

  /** A piece of so many bytes. */
  fits(bytes: number): boolean {
    return bytes + OVERHEAD_BYTES <= this.#leftBytes
  }

  /** What a stream needs to move on may be taken beyond what fits. */
  get bearable(): boolean {
    return this.#heldBytes < this.budget.totalBytes * MOST_BEYOND
  }

  /** How much more may be held of this sender, now. */
  get #leftBytes(): number {
    const { totalBytes, heldBytes } = this.budget
    const othersLeaveBytes = totalBytes - (heldBytes - this.#heldBytes)
    return Math.max(0, othersLeaveBytes - Math.ceil(othersLeaveBytes / KEPT_PART) - this.#heldBytes)
  }

  /**
   * What the sender may have in flight. Not a plain share of what is left: few of many members send much at once, and
   * what comes beyond is refused and sent again later. At least one frame each.
   */
  windowBytes(): number {
    return Math.min(this.#leftBytes, this.#equalPartBytes)
  }

  get #equalPartBytes(): number {
    const { totalBytes, heldBytes, links } = this.budget
    return Math.max(0, Math.floor((totalBytes - heldBytes) / Math.max(1, Math.min(links, 4))))
  }
}
