import { LIMITS } from '../../../signaling/protocol/index.ts'

/** What this member holds of incomplete, early and unread messages, over all its links. */
export class ReceiveBudget {
  #heldBytes = 0
  /** Links that share it. */
  links = 0

  constructor(private readonly totalBytes: number = LIMITS.receiveBytes) {}

  get heldBytes(): number {
    return this.#heldBytes
  }

  add(bytes: number): void {
    this.#heldBytes += bytes
  }

  fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.totalBytes
  }

  /**
   * What one sender may have in flight. Not a plain share: few of many members send much at once, and what comes
   * beyond the budget is refused and sent again later. At least one frame each.
   */
  windowBytes(): number {
    const left = Math.max(0, this.totalBytes - this.#heldBytes)
    return Math.floor(left / Math.max(1, Math.min(this.links, 4)))
  }
}
