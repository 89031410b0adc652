import { LIMITS, type PeerId, type StreamAck } from '../../../signaling/protocol/index.ts'
import type { Outgoing, OutgoingStream } from './outgoing-stream.ts'
import type { Outlet } from './outlet.ts'
import { before, distance, plus } from './serial.ts'

/** What became of one frame on its way to one member. */
const FLYING = 0
const ACKED = 1
/** Believed lost: to be sent again. */
const LOST = 2

/** A frame counts as lost when this many later ones of the same outlet were acknowledged (RFC 5681, 3.2). */
const REORDERING = 3
const FIRST_RING = 64

/** What an acknowledgement told, for the link's round-trip time, windows and timers. */
export interface AckNews {
  /** Frames that were not acknowledged before. */
  frames: number
  bytes: number
  /** When the newest of them was sent, by which outlet; only of frames that were sent once. */
  sampleSentAtMs: number | undefined
  sampleTag: number
  /** Whether a gap showed frames to be lost. */
  lost: number
}

/**
 * One member's place in one stream: what it has acknowledged, what is in flight to it, and by which outlet.
 * Frames from `acked` to `sent` have a record in a ring that grows as the flight does.
 */
export class Cursor {
  /** Every frame before this has been acknowledged. */
  acked: number
  /** The first frame never sent. */
  sent: number
  /** Bytes in flight: sent, and neither acknowledged nor believed lost. */
  flyingBytes = 0
  #lostFrames = 0
  /** The message whose end is the next to be passed. */
  #message: number
  #states = new Uint8Array(FIRST_RING)
  #sentAt = new Float64Array(FIRST_RING)
  #tags = new Uint32Array(FIRST_RING)
  #order = new Float64Array(FIRST_RING)
  #repeated = new Uint8Array(FIRST_RING)
  #mask = FIRST_RING - 1
  /**
   * The retransmission timer runs from here at the earliest: when `acked` last moved (RFC 6298, 5.3), or the oldest
   * frame was last overdue. What came beyond a gap does not count, or a stream that flows on by another path would
   * keep the frame that is missing waiting.
   */
  timerBasisMs = Number.NEGATIVE_INFINITY
  /** How often in a row the oldest frame was overdue. */
  backoff = 0
  retransmissions = 0
  /** The newest transmission that arrived: by this outlet, and its place among the link's. */
  #arrivedTag = 0
  #arrivedOrder = 0

  constructor(
    readonly stream: OutgoingStream,
    readonly member: PeerId,
  ) {
    this.acked = stream.next
    this.sent = stream.next
    this.#message = stream.messageCount
  }

  get messagePosition(): number {
    return this.#message
  }

  get idle(): boolean {
    return this.acked === this.stream.next
  }

  get hasLost(): boolean {
    return this.#lostFrames > 0
  }

  /** Bytes sent and not acknowledged cumulatively: what the receiver may have to hold. */
  get unacknowledgedBytes(): number {
    return this.stream.offsetBefore(this.sent) - this.stream.offsetBefore(this.acked)
  }

  /** Bytes this member is behind the end of the stream. */
  get lagBytes(): number {
    return this.stream.offsetBefore(this.stream.next) - this.stream.offsetBefore(this.acked)
  }

  /** Whether the frame `sent` may go now, as far as frame window and the peer's own window are concerned. */
  mayAdvance(windowBytes: number): boolean {
    if (this.sent === this.stream.next) return false
    const ahead = distance(this.acked, this.sent)
    if (ahead === 0) return true
    return ahead < LIMITS.windowFrames && this.unacknowledgedBytes + this.stream.frame(this.sent).length <= windowBytes
  }

  /** The frame `sent` has gone out by `outlet`. `order` counts transmissions of the link. */
  advanced(outlet: Outlet, order: number, nowMs: number): void {
    if (distance(this.acked, this.sent) > this.#mask) this.#grow()
    this.#record(this.sent, outlet, order, nowMs, 0)
    this.flyingBytes += this.stream.frame(this.sent).length
    this.sent = plus(this.sent, 1)
  }

  /**
   * Send lost frames again, as far as `windowBytes` (of this cursor) and the peer's window go; the oldest always, or
   * nothing might ever move again. Returns false when some must wait.
   */
  resend(
    outlet: Outlet,
    nextOrder: () => number,
    nowMs: number,
    windowBytes: number,
    peerWindowBytes: number,
  ): boolean {
    for (let seq = this.acked; seq !== this.sent && this.#lostFrames > 0; seq = plus(seq, 1)) {
      if (this.#states[seq & this.#mask] !== LOST) continue
      const frame = this.stream.frame(seq)
      if (seq !== this.acked) {
        if (this.flyingBytes + frame.length > windowBytes) return false
        if (this.stream.offsetBefore(seq) - this.stream.offsetBefore(this.acked) > peerWindowBytes) return false
      }
      if (!outlet.send(this.stream.lane, frame)) return false
      this.#lostFrames -= 1
      this.flyingBytes += frame.length
      this.retransmissions += 1
      this.#record(seq, outlet, nextOrder(), nowMs, 1)
    }
    return true
  }

  #record(seq: number, outlet: Outlet, order: number, nowMs: number, repeated: 0 | 1): void {
    const at = seq & this.#mask
    this.#states[at] = FLYING
    this.#sentAt[at] = nowMs
    this.#tags[at] = outlet.tag
    this.#order[at] = order
    this.#repeated[at] = repeated
  }

  /** When the oldest frame in flight was sent, `undefined` when none is; its tag beside it. */
  oldest(): { readonly seq: number; readonly sentAtMs: number; readonly tag: number } | undefined {
    if (this.acked === this.sent) return undefined
    const at = this.acked & this.#mask
    if (this.#states[at] === LOST) return undefined
    return { seq: this.acked, sentAtMs: this.#sentAt[at] ?? 0, tag: this.#tags[at] ?? 0 }
  }

  /** It also went another way: its acknowledgement tells nothing about the round trip. */
  hedged(seq: number): void {
    this.#repeated[seq & this.#mask] = 1
    this.retransmissions += 1
  }

  /** What flew by `tag` (any, when undefined) will not arrive: send it again. Returns how many frames. */
  lose(tag?: number): number {
    let lost = 0
    for (let seq = this.acked; seq !== this.sent; seq = plus(seq, 1)) {
      const at = seq & this.#mask
      if (this.#states[at] === FLYING && (tag === undefined || this.#tags[at] === tag)) {
        this.#lose(seq)
        lost += 1
      }
    }
    return lost
  }

  /** The oldest frame is overdue. */
  loseOldest(): void {
    if (this.acked !== this.sent && this.#states[this.acked & this.#mask] === FLYING) this.#lose(this.acked)
  }

  #lose(seq: number): void {
    this.#states[seq & this.#mask] = LOST
    this.#lostFrames += 1
    this.flyingBytes -= this.stream.frame(seq).length
  }

  /**
   * Take an acknowledgement; what it newly covers is added to `news`. Nonsense (beyond the end of the stream) is
   * ignored. Frames beyond `sent` may have come: a broadcast also reaches those of whom we think that they are away.
   */
  acknowledge(ack: StreamAck, nowMs: number, news: AckNews): void {
    const { next, bitmap } = ack
    if (before(this.stream.next, next) || (before(next, this.acked) && bitmap.length === 0)) return
    const arrivedOrder = this.#arrivedOrder
    const { acked } = this
    for (let seq = acked; before(seq, next) && seq !== this.sent; seq = plus(seq, 1)) this.#acknowledgeFrame(seq, news)
    for (let byte = 0; byte < bitmap.length; byte += 1) {
      const bits = bitmap[byte] as number
      for (let bit = 0; bits >>> bit !== 0; bit += 1) {
        if ((bits & (1 << bit)) === 0) continue
        const seq = plus(next, 1 + byte * 8 + bit)
        if (before(seq, this.sent) && !before(seq, this.acked)) this.#acknowledgeFrame(seq, news)
      }
    }
    if (before(this.sent, next)) {
      news.frames += distance(this.sent, next)
      this.sent = next
    }
    if (before(this.acked, next)) this.acked = next
    // What the bitmap told may reach down to the cumulative point in a later, or an earlier, acknowledgement.
    while (this.acked !== this.sent && this.#states[this.acked & this.#mask] === ACKED) this.acked = plus(this.acked, 1)
    if (this.acked !== acked) {
      this.timerBasisMs = nowMs
      this.backoff = 0
    }
    if (this.#arrivedOrder !== arrivedOrder && this.flyingBytes > 0) this.#findGaps(news)
  }

  #acknowledgeFrame(seq: number, news: AckNews): void {
    const at = seq & this.#mask
    const state = this.#states[at]
    if (state === ACKED) return
    const bytes = this.stream.frame(seq).length
    if (state === LOST) this.#lostFrames -= 1
    else this.flyingBytes -= bytes
    this.#states[at] = ACKED
    news.frames += 1
    news.bytes += bytes
    const order = this.#order[at] ?? 0
    if (order > this.#arrivedOrder) {
      this.#arrivedOrder = order
      this.#arrivedTag = this.#tags[at] ?? 0
    }
    const sentAtMs = this.#sentAt[at] ?? 0
    if (this.#repeated[at] === 0 && (news.sampleSentAtMs === undefined || sentAtMs >= news.sampleSentAtMs)) {
      news.sampleSentAtMs = sentAtMs
      news.sampleTag = this.#tags[at] ?? 0
    }
  }

  /** Frames that have not come although later transmissions by the same outlet have. */
  #findGaps(news: AckNews): void {
    const passed = this.#arrivedOrder - REORDERING
    for (let seq = this.acked; seq !== this.sent; seq = plus(seq, 1)) {
      const at = seq & this.#mask
      // Sent once, in order: nothing after it was sent before it, save what was sent again, which looks for itself.
      if (this.#states[at] !== FLYING) continue
      if ((this.#order[at] ?? 0) > passed) {
        if (this.#repeated[at] === 0) return
      } else if (this.#tags[at] === this.#arrivedTag) {
        this.#lose(seq)
        news.lost += 1
      }
    }
  }

  /** Hand each message that now lies wholly before `acked` to `passed`, in order. */
  takePassed(passed: (message: Outgoing) => void): void {
    for (;;) {
      const placed = this.stream.placed(this.#message)
      if (placed === undefined || !before(placed.lastSeq, this.acked)) return
      this.#message += 1
      passed(placed.message)
    }
  }

  /** Give up all that is not acknowledged and go on from the end of the stream. */
  skipToEnd(missed: (message: Outgoing) => void): void {
    for (;;) {
      const placed = this.stream.placed(this.#message)
      if (placed === undefined) break
      this.#message += 1
      missed(placed.message)
    }
    this.acked = this.stream.next
    this.sent = this.stream.next
    this.flyingBytes = 0
    this.#lostFrames = 0
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2
    const states = new Uint8Array(size)
    const sentAt = new Float64Array(size)
    const tags = new Uint32Array(size)
    const order = new Float64Array(size)
    const repeated = new Uint8Array(size)
    for (let seq = this.acked; seq !== this.sent; seq = plus(seq, 1)) {
      const from = seq & this.#mask
      const to = seq & (size - 1)
      states[to] = this.#states[from] ?? 0
      sentAt[to] = this.#sentAt[from] ?? 0
      tags[to] = this.#tags[from] ?? 0
      order[to] = this.#order[from] ?? 0
      repeated[to] = this.#repeated[from] ?? 0
    }
    this.#states = states
    this.#sentAt = sentAt
    this.#tags = tags
    this.#order = order
    this.#repeated = repeated
    this.#mask = size - 1
  }
}
