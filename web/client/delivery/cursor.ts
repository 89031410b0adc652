import { LIMITS, type PeerId, type StreamAck } from '../../../signaling/protocol/index.ts'
import type { Outgoing, OutgoingStream } from './outgoing-stream.ts'
import type { Outlet } from './outlet.ts'
import { before, distance, plus } from './serial.ts'

/** A frame counts as lost when this many later ones of the same outlet were acknowledged (RFC 5681, 3.2). */
const REORDERING = 3

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

/** A transmission that has not been acknowledged. */
interface Flight {
  readonly sentAtMs: number
  readonly tag: number
  /** Its place among all transmissions of the link. */
  readonly order: number
  /** Where it ends in its outlet's lane. */
  readonly endBytes: number
  /** The frame was sent before, or another way too: its acknowledgement tells nothing about the round trip. */
  repeated: boolean
  /** Believed lost: to be sent again. */
  lost: boolean
}

/**
 * One member's place in one stream: what it has acknowledged, what is in flight to it, and by which outlet.
 * Of the frames from `acked` to `sent`, those without a flight have been acknowledged.
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
  messagePosition: number
  /** By sequence number, in the order of transmission. */
  readonly #flights = new Map<number, Flight>()
  /**
   * The retransmission timer runs from here at the earliest: when `acked` last moved (RFC 6298, 5.3), or the oldest
   * frame was last overdue. What came beyond a gap does not count, or a stream that flows on by another path would
   * keep the frame that is missing waiting.
   */
  timerBasisMs = Number.NEGATIVE_INFINITY
  /** How often in a row the oldest frame was overdue. */
  backoff = 0
  retransmissions = 0
  /** The newest transmission that arrived. */
  #arrived: Flight | undefined

  constructor(
    readonly stream: OutgoingStream,
    readonly member: PeerId,
  ) {
    this.acked = stream.next
    this.sent = stream.next
    this.messagePosition = stream.messageCount
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

  /** Bytes of frames that have not been sent. */
  get unsentBytes(): number {
    return this.stream.offsetBefore(this.stream.next) - this.stream.offsetBefore(this.sent)
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
    this.#fly(this.sent, outlet, order, nowMs, false)
    this.sent = plus(this.sent, 1)
  }

  #fly(seq: number, outlet: Outlet, order: number, nowMs: number, repeated: boolean): void {
    const endBytes = outlet.writtenBytes(this.stream.lane)
    this.#flights.set(seq, { sentAtMs: nowMs, tag: outlet.tag, order, endBytes, repeated, lost: false })
    this.flyingBytes += this.stream.frame(seq).length
  }

  /**
   * Send lost frames again, each by the `next` outlet, as far as `windowBytes` (of this cursor) and the peer's window
   * go; the oldest always, or nothing might ever move again. Returns false when some must wait.
   */
  resend(
    next: () => Outlet,
    nextOrder: () => number,
    nowMs: number,
    windowBytes: number,
    peerWindowBytes: number,
  ): boolean {
    for (const seq of [this.acked, ...this.#flights.keys()]) {
      if (this.#flights.get(seq)?.lost !== true) continue
      const frame = this.stream.frame(seq)
      if (seq !== this.acked) {
        if (this.flyingBytes + frame.length > windowBytes) return false
        if (this.stream.offsetBefore(seq) - this.stream.offsetBefore(this.acked) > peerWindowBytes) return false
      }
      const outlet = next()
      if (!outlet.send(this.stream.lane, frame)) return false
      this.#lostFrames -= 1
      this.retransmissions += 1
      this.#flights.delete(seq)
      this.#fly(seq, outlet, nextOrder(), nowMs, true)
    }
    return true
  }

  /** How the oldest unacknowledged frame flies; `undefined` when it does not. */
  oldest(): Flight | undefined {
    const flight = this.#flights.get(this.acked)
    return flight?.lost ? undefined : flight
  }

  /** The oldest also went another way. */
  hedged(): void {
    const oldest = this.oldest()
    if (oldest !== undefined) oldest.repeated = true
    this.retransmissions += 1
  }

  /** What flew by `tag` will not arrive: send it again. */
  lose(tag: number): void {
    for (const [seq, flight] of this.#flights) if (flight.tag === tag) this.#lose(seq, flight)
  }

  /** The oldest frame is overdue. */
  loseOldest(): void {
    const oldest = this.oldest()
    if (oldest !== undefined) this.#lose(this.acked, oldest)
  }

  /** The oldest frame is overdue, and so is all that was sent by the same path as long ago (RFC 5681, 4.3). */
  loseOverdue(untilMs: number): void {
    const oldest = this.oldest()
    if (oldest === undefined) return
    this.loseOldest()
    for (const [seq, flight] of this.#flights) {
      if (flight.tag === oldest.tag && flight.sentAtMs <= untilMs) this.#lose(seq, flight)
    }
  }

  #lose(seq: number, flight: Flight): void {
    if (flight.lost) return
    flight.lost = true
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
    const arrived = this.#arrived
    const { acked } = this
    for (let seq = acked; before(seq, next) && seq !== this.sent; seq = plus(seq, 1)) this.#arrive(seq, news)
    for (let byte = 0; byte < bitmap.length; byte += 1) {
      const bits = bitmap[byte] as number
      for (let bit = 0; bits >>> bit !== 0; bit += 1) {
        if ((bits & (1 << bit)) !== 0) this.#arrive(plus(next, 1 + byte * 8 + bit), news)
      }
    }
    if (before(this.sent, next)) {
      news.frames += distance(this.sent, next)
      this.sent = next
    }
    if (before(this.acked, next)) this.acked = next
    // What the bitmap told may reach down to the cumulative point in a later, or an earlier, acknowledgement.
    while (this.acked !== this.sent && !this.#flights.has(this.acked)) this.acked = plus(this.acked, 1)
    if (this.acked !== acked) {
      this.timerBasisMs = nowMs
      this.backoff = 0
    }
    if (this.#arrived !== arrived) this.#findGaps(news)
  }

  #arrive(seq: number, news: AckNews): void {
    const flight = this.#flights.get(seq)
    if (flight === undefined) return
    this.#flights.delete(seq)
    const bytes = this.stream.frame(seq).length
    if (flight.lost) this.#lostFrames -= 1
    else this.flyingBytes -= bytes
    news.frames += 1
    news.bytes += bytes
    if (this.#arrived === undefined || flight.order > this.#arrived.order) this.#arrived = flight
    if (!flight.repeated && (news.sampleSentAtMs === undefined || flight.sentAtMs >= news.sampleSentAtMs)) {
      news.sampleSentAtMs = flight.sentAtMs
      news.sampleTag = flight.tag
    }
  }

  /** Frames that have not come although later transmissions by the same outlet have. */
  #findGaps(news: AckNews): void {
    const { order, tag } = this.#arrived as Flight
    for (const [seq, flight] of this.#flights) {
      if (flight.order + REORDERING > order) return
      if (flight.tag !== tag || flight.lost) continue
      this.#lose(seq, flight)
      news.lost += 1
    }
  }

  /** Hand each message that now lies wholly before `acked` to `passed`, in order. */
  takePassed(passed: (message: Outgoing) => void): void {
    for (;;) {
      const placed = this.stream.placed(this.messagePosition)
      if (placed === undefined || !before(placed.lastSeq, this.acked)) return
      this.messagePosition += 1
      passed(placed.message)
    }
  }

  /** Give up all that is not acknowledged and go on from the end of the stream. */
  skipToEnd(missed: (message: Outgoing) => void): void {
    this.acked = this.stream.next
    this.sent = this.stream.next
    this.#flights.clear()
    this.flyingBytes = 0
    this.#lostFrames = 0
    this.takePassed(missed)
  }
}
