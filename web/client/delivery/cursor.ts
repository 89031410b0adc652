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
  /** Bytes in flight, by outlet tag of the newest outlet used only; see `flyingBytes`. */
  #flyingBytes = 0
  #lostFrames = 0
  /** The message whose end is the next to be passed. */
  #message: number
  #states = new Uint8Array(FIRST_RING)
  #sentAt = new Float64Array(FIRST_RING)
  #tags = new Uint32Array(FIRST_RING)
  #order = new Float64Array(FIRST_RING)
  #repeated = new Uint8Array(FIRST_RING)
  #mask = FIRST_RING - 1
  /** When a frame was last newly acknowledged: the retransmission timer starts anew then (RFC 6298, 5.3). */
  lastNewsAtMs = Number.NEGATIVE_INFINITY
  retransmissions = 0

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

  get flyingBytes(): number {
    return this.#flyingBytes
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
    this.#flyingBytes += this.stream.frame(this.sent).length
    this.sent = plus(this.sent, 1)
  }

  /** Send lost frames again while `send` takes them. Returns false when it stopped taking. */
  resend(outlet: Outlet, nextOrder: () => number, nowMs: number, windowBytes: number): boolean {
    if (this.#lostFrames === 0) return true
    for (let seq = this.acked; seq !== this.sent && this.#lostFrames > 0; seq = plus(seq, 1)) {
      if (this.#states[seq & this.#mask] !== LOST) continue
      const frame = this.stream.frame(seq)
      if (this.#flyingBytes > 0 && this.#flyingBytes + frame.length > windowBytes) return false
      if (!outlet.send(this.stream.lane, frame)) return false
      this.#lostFrames -= 1
      this.#flyingBytes += frame.length
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
    this.#flyingBytes -= this.stream.frame(seq).length
  }

  /** Take an acknowledgement; what it newly covers is added to `news`. Nonsense (beyond what was sent) is ignored. */
  acknowledge(ack: StreamAck, nowMs: number, news: AckNews): void {
    if (before(this.sent, ack.next) || (before(ack.next, this.acked) && ack.bitmap.length === 0)) return
    const framesBefore = news.frames
    for (let seq = this.acked; before(seq, ack.next); seq = plus(seq, 1)) this.#acknowledgeFrame(seq, news)
    let highest = ack.next
    for (let byte = 0; byte < ack.bitmap.length; byte += 1) {
      const bits = ack.bitmap[byte] as number
      for (let bit = 0; bits >>> bit !== 0; bit += 1) {
        if ((bits & (1 << bit)) === 0) continue
        const seq = plus(ack.next, 1 + byte * 8 + bit)
        if (!before(seq, this.sent)) break
        if (before(seq, this.acked)) continue
        this.#acknowledgeFrame(seq, news)
        highest = seq
      }
    }
    if (before(this.acked, ack.next)) this.acked = ack.next
    // What the bitmap told may reach down to the cumulative point in a later, or an earlier, acknowledgement.
    while (this.acked !== this.sent && this.#states[this.acked & this.#mask] === ACKED) this.acked = plus(this.acked, 1)
    if (before(this.acked, highest)) this.#findGaps(highest, news)
    if (news.frames > framesBefore) this.lastNewsAtMs = nowMs
  }

  #acknowledgeFrame(seq: number, news: AckNews): void {
    const at = seq & this.#mask
    const state = this.#states[at]
    if (state === ACKED) return
    const bytes = this.stream.frame(seq).length
    if (state === LOST) this.#lostFrames -= 1
    else this.#flyingBytes -= bytes
    this.#states[at] = ACKED
    news.frames += 1
    news.bytes += bytes
    const sentAtMs = this.#sentAt[at] ?? 0
    if (this.#repeated[at] === 0 && (news.sampleSentAtMs === undefined || sentAtMs >= news.sampleSentAtMs)) {
      news.sampleSentAtMs = sentAtMs
      news.sampleTag = this.#tags[at] ?? 0
    }
  }

  /** Frames below `highest` that are missing although later ones of the same outlet came. */
  #findGaps(highest: number, news: AckNews): void {
    const newest = new Map<number, number>()
    for (let seq = this.acked; !before(highest, seq); seq = plus(seq, 1)) {
      const at = seq & this.#mask
      if (this.#states[at] !== ACKED) continue
      const tag = this.#tags[at] ?? 0
      newest.set(tag, Math.max(newest.get(tag) ?? 0, this.#order[at] ?? 0))
    }
    for (let seq = this.acked; before(seq, highest); seq = plus(seq, 1)) {
      const at = seq & this.#mask
      if (this.#states[at] !== FLYING) continue
      const passed = newest.get(this.#tags[at] ?? 0)
      if (passed !== undefined && (this.#order[at] ?? 0) + REORDERING <= passed) {
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
    this.#flyingBytes = 0
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
