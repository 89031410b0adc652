import {
  type Ack,
  type Audience,
  LIMITS,
  LINK_CHANNEL,
  type PeerId,
  STREAMS,
  type StreamIndex,
  type Unread,
} from '../../../signaling/protocol/index.ts'
import { type AckNews, Cursor } from './cursor.ts'
import { type MissedReason, type Outgoing, OutgoingStream } from './outgoing-stream.ts'
import type { Outlet } from './outlet.ts'
import { RoundTrip } from './round-trip.ts'
import { before } from './serial.ts'

/** A peer's window before its first acknowledgement says better: what every receiver takes. */
const FIRST_WINDOW_BYTES = 262_144
/** How long to wait for news of messages that came but were not handed on, before asking; doubles up to the second. */
const ASK_UNREAD_MS = 500
const ASK_UNREAD_MOST_MS = 10_000

export interface LinkSenderEvents {
  /** The relay's outlet to this member, while it is usable: for hedging, and for frames that always take it too. */
  relay(): Outlet | undefined
  /**
   * The oldest frame on a direct path outlived its timeout: a small one that has left was hedged by the relay where that
   * was possible. The path is to show that it is alive.
   */
  overdue(outlet: Outlet): void
  /** The oldest frame on the relay outlived its timeout, or a gap showed losses there. */
  relayLoss(overdue: boolean): void
  /** By which outlet the next frame of bulk goes while `outlet`, which is direct, is the one in use. */
  bulkOutlet(outlet: Outlet): Outlet
  /** There is no room for it now. */
  bulkWaits(): void
  /** An acknowledgement made room: what waits may go. */
  progress(bytes: number, tag: number): void
  /** Ask the peer for an acknowledgement. */
  askForAck(): void
}

/** Came, but its application has not been handed it. */
interface Unhanded {
  readonly message: Outgoing
  readonly stream: StreamIndex
  readonly lastSeq: number
}

/**
 * The sending half of a link: a cursor into each stream that its member hears, and the rules by which frames leave,
 * are timed, and are sent again. Which path they take is decided elsewhere (`setOutlet`).
 */
export class LinkSender {
  readonly cursors: readonly [Cursor, Cursor, Cursor, Cursor]
  /** Ordinal of the next unicast message, by channel. */
  readonly unicastOrdinals = new Map<number, number>()
  /** Channels whose name the peer has been told in a unicast message. */
  readonly openedChannels = new Set<number>()
  outlet: Outlet | undefined
  /**
   * The peer may still have a receiver of an earlier beginning, which would take what it is then to forget: nothing
   * goes before it has confirmed the greeting.
   */
  held = false
  /** What the peer said of itself. */
  peerDelayMs = 0
  peerWindowBytes = FIRST_WINDOW_BYTES
  bytesSent = 0
  /** When anything was last newly acknowledged, or the first unacknowledged frame was sent: for `lagMs`. */
  #stalledSinceMs: number | undefined
  readonly #outlets = new Map<number, Outlet>()
  readonly #unhanded: Unhanded[] = []
  #askAtMs = Number.POSITIVE_INFINITY
  #askDelayMs = ASK_UNREAD_MS
  #order = 0
  /** Of bulk on the present path, if direct: it has a buffer of its own there, which small frames do not wait for. */
  #bulkRoundTrip = new RoundTrip()
  #hedgedSeqs: (number | undefined)[] = [undefined, undefined, undefined, undefined]

  constructor(
    readonly member: PeerId,
    roomSmall: OutgoingStream,
    roomBulk: OutgoingStream,
    firstSeq: () => number,
    private readonly events: LinkSenderEvents,
  ) {
    this.cursors = [
      new Cursor(roomSmall, member),
      new Cursor(roomBulk, member),
      new Cursor(new OutgoingStream(2, firstSeq()), member),
      new Cursor(new OutgoingStream(3, firstSeq()), member),
    ]
  }

  /** Where each stream starts for this member, as its greeting says. */
  starts(): [number, number, number, number] {
    const [a, b, c, d] = this.cursors
    return [a.acked, b.acked, c.acked, d.acked]
  }

  cursor(stream: StreamIndex): Cursor {
    return this.cursors[stream]
  }

  get unacknowledgedBytes(): number {
    return this.#sum('unacknowledgedBytes')
  }

  get retransmissions(): number {
    return this.#sum('retransmissions')
  }

  get flyingBytes(): number {
    return this.#sum('flyingBytes')
  }

  #sum(what: 'flyingBytes' | 'retransmissions' | 'unacknowledgedBytes'): number {
    const [a, b, c, d] = this.cursors
    return a[what] + b[what] + c[what] + d[what]
  }

  /** Whether everything sent has come and has been handed on. */
  get quiet(): boolean {
    return this.#unhanded.length === 0 && this.cursors.every((cursor) => cursor.idle)
  }

  /** New frames take this way from now on; what is in flight elsewhere stays in flight. */
  setOutlet(outlet: Outlet | undefined): void {
    if (outlet === this.outlet) return
    this.outlet = outlet
    this.#bulkRoundTrip = new RoundTrip()
    for (const cursor of this.cursors) cursor.backoff = 0
    if (outlet !== undefined) this.#outlets.set(outlet.tag, outlet)
  }

  /** A path is gone, or not to be trusted: what flies by it is to be sent again. */
  loseFlight(tag: number): void {
    for (const cursor of this.cursors) cursor.lose(tag)
    if (this.outlet?.tag !== tag) this.#outlets.delete(tag)
  }

  readonly #nextOrder = (): number => {
    this.#order += 1
    return this.#order
  }

  /**
   * Send what may go: lost frames first, small before bulk. New room frames on the relay are the outbox's to send, once
   * for all members who are there.
   */
  pump(nowMs: number): void {
    const outlet = this.outlet
    if (outlet === undefined) return
    if (this.held) {
      // A member that never greets is as far behind as one that never acknowledges.
      if (this.cursors.some(({ idle }) => !idle)) this.#stalledSinceMs ??= nowMs
      return
    }
    for (const stream of PUMP_ORDER) {
      const cursor = this.cursors[stream]
      if (cursor.idle) continue
      if (cursor.hasLost) {
        const windowBytes = outlet.windowBytes - (this.flyingBytes - cursor.flyingBytes)
        if (!cursor.resend(() => this.#next(cursor, outlet), this.#nextOrder, nowMs, windowBytes, this.peerWindowBytes))
          continue
      }
      if (stream >= 2 || outlet.kind !== 'relay') this.#advance(cursor, outlet, nowMs)
    }
  }

  /** By which outlet the next frame goes. */
  #next(cursor: Cursor, outlet: Outlet): Outlet {
    if (cursor.stream.lane === 'small' || outlet.kind !== 'direct') return outlet
    const chosen = this.events.bulkOutlet(outlet)
    this.#outlets.set(chosen.tag, chosen)
    return chosen
  }

  #advance(cursor: Cursor, main: Outlet, nowMs: number): void {
    while (this.mayAdvance(cursor, main)) {
      const seq = cursor.sent
      const frame = cursor.stream.frame(seq)
      const outlet = this.#next(cursor, main)
      if (!outlet.send(cursor.stream.lane, frame)) {
        if (cursor.stream.lane === 'bulk') this.events.bulkWaits()
        return
      }
      // Signals go by the relay too, always: they are about this very path.
      if (outlet.kind !== 'relay' && frame[CHANNEL_AT] === LINK_CHANNEL) this.events.relay()?.send('small', frame)
      this.advanced(cursor, outlet, nowMs)
    }
  }

  mayAdvance(cursor: Cursor, outlet: Outlet): boolean {
    if (this.held || !cursor.mayAdvance(this.peerWindowBytes)) return false
    const flying = this.flyingBytes
    return flying === 0 || flying + cursor.stream.frame(cursor.sent).length <= outlet.windowBytes
  }

  advanced(cursor: Cursor, outlet: Outlet, nowMs: number): void {
    if (cursor.acked === cursor.sent) this.#stalledSinceMs ??= nowMs
    this.bytesSent += cursor.stream.frame(cursor.sent).length
    cursor.advanced(outlet, this.#nextOrder(), nowMs)
  }

  acknowledge(ack: Ack, nowMs: number): void {
    if (this.held) return
    this.peerDelayMs = ack.delayMs
    const opened = ack.windowBytes > this.peerWindowBytes
    // A closed window made the receiver refuse what came: it is to be sent again, now that it is open.
    const reopened = this.peerWindowBytes < LIMITS.fragmentBytes && ack.windowBytes >= LIMITS.fragmentBytes
    this.peerWindowBytes = ack.windowBytes
    const news: AckNews = { frames: 0, bytes: 0, sampleSentAtMs: undefined, sampleTag: 0, lost: 0 }
    let sampled: Cursor | undefined
    for (const streamAck of ack.streams) {
      const { stream } = streamAck
      const cursor = this.cursors[stream]
      const { sampleSentAtMs } = news
      cursor.acknowledge(streamAck, nowMs, news)
      if (news.sampleSentAtMs !== sampleSentAtMs) sampled = cursor
      cursor.takePassed((message) => this.#unhanded.push({ message, stream, lastSeq: cursor.acked }))
    }
    if (reopened) for (const cursor of this.cursors) cursor.loseOldest()
    if (this.#unhanded.length > 0) this.#settleHanded(ack, nowMs)
    if (news.frames > 0)
      this.#stalledSinceMs = this.cursors.every(({ acked, sent }) => acked === sent) ? undefined : nowMs
    if (news.sampleSentAtMs !== undefined) {
      const outlet = this.#outlets.get(news.sampleTag)
      const ownBuffer = sampled?.stream.lane === 'bulk' && outlet?.kind !== 'relay'
      const roundTrip = ownBuffer ? this.#bulkRoundTrip : outlet?.roundTrip
      roundTrip?.sample(nowMs - news.sampleSentAtMs - ack.heldMs)
    }
    if (news.lost > 0 && this.outlet?.kind === 'relay') this.events.relayLoss(false)
    if (news.frames > 0 || opened) this.events.progress(news.bytes, news.sampleTag)
  }

  /** Settle what `ack` shows to have been handed on. Only an acknowledgement that covers a message can tell. */
  #settleHanded(ack: Ack, nowMs: number): void {
    let kept = 0
    for (const waiting of this.#unhanded) {
      const covered = ack.streams.some(
        ({ stream, next }) => stream === waiting.stream && !before(next, waiting.lastSeq),
      )
      if (covered && !isUnread(ack.unread, waiting)) {
        waiting.message.settle(this.member, undefined)
      } else {
        this.#unhanded[kept] = waiting
        kept += 1
      }
    }
    if (kept !== this.#unhanded.length) this.#askDelayMs = ASK_UNREAD_MS
    this.#unhanded.length = kept
    this.#askAtMs = kept === 0 ? Number.POSITIVE_INFINITY : Math.min(this.#askAtMs, nowMs + this.#askDelayMs)
  }

  /**
   * Act on what is overdue. Returns when to call again (ms on the clock), infinity when nothing is in flight.
   */
  check(nowMs: number): number {
    let dueMs = Number.POSITIVE_INFINITY
    for (const stream of STREAMS) dueMs = Math.min(dueMs, this.#checkCursor(this.cursors[stream], stream, nowMs))
    if (nowMs >= this.#askAtMs) {
      this.events.askForAck()
      this.#askDelayMs = Math.min(ASK_UNREAD_MOST_MS, this.#askDelayMs * 2)
      this.#askAtMs = nowMs + this.#askDelayMs
    }
    return Math.min(dueMs, this.#askAtMs)
  }

  #checkCursor(cursor: Cursor, stream: StreamIndex, nowMs: number): number {
    const oldest = cursor.oldest()
    if (oldest === undefined) return Number.POSITIVE_INFINITY
    const outlet = this.#outlets.get(oldest.tag)
    if (outlet === undefined) {
      cursor.lose(oldest.tag)
      this.pump(nowMs)
      return nowMs + 50
    }
    const timeoutMs = (): number => {
      const ownMs = outlet.roundTrip.timeoutMs(this.peerDelayMs, cursor.backoff)
      if (cursor.stream.lane === 'small' || outlet.kind === 'relay') return ownMs
      return Math.max(ownMs, this.#bulkRoundTrip.timeoutMs(this.peerDelayMs, cursor.backoff))
    }
    const afterMs = timeoutMs()
    const dueMs = Math.max(oldest.sentAtMs, cursor.timerBasisMs) + afterMs
    if (nowMs < dueMs) return dueMs
    cursor.timerBasisMs = nowMs
    const next = this.outlet === undefined ? outlet : this.#next(cursor, this.outlet)
    const elsewhere = cursor.stream.lane === 'bulk' && outlet.kind !== 'relay' && next !== outlet
    if (!elsewhere && outlet.leftBytes(cursor.stream.lane) < oldest.endBytes) {
      // It has not left: the timeout runs from when it does. Whether the path is dead, or only busy, its pings tell.
      this.events.overdue(outlet)
      return nowMs + afterMs
    }
    cursor.backoff = Math.min(cursor.backoff + 1, 8)
    if (outlet.kind === 'relay') {
      cursor.loseOverdue(nowMs - afterMs)
      this.events.relayLoss(true)
    } else if (elsewhere) {
      // What has come by others since may have to wait for what is stuck here, and they have room for it.
      cursor.loseOverdue(nowMs - afterMs)
      this.events.overdue(outlet)
    } else {
      this.#hedge(cursor, stream)
      // The second time, the path has shown to be alive, or this would not fly by it any more: the receiver had to
      // refuse the frame.
      if (cursor.backoff > 1) cursor.loseOldest()
      this.events.overdue(outlet)
    }
    this.pump(nowMs)
    return nowMs + timeoutMs()
  }

  /** Send the oldest small frame by the relay too, once. Bulk moves only when the path is given up. */
  #hedge(cursor: Cursor, stream: StreamIndex): void {
    const seq = cursor.acked
    if (cursor.stream.lane === 'bulk' || this.#hedgedSeqs[stream] === seq) return
    if (this.events.relay()?.send('small', cursor.stream.frame(seq)) !== true) return
    this.#hedgedSeqs[stream] = seq
    cursor.hedged()
  }

  /** The peer is back: only from now on may it be blamed for silence. */
  reachable(nowMs: number): void {
    if (this.#stalledSinceMs !== undefined) this.#stalledSinceMs = nowMs
  }

  /** For how long nothing has been acknowledged although something is in flight, ms. */
  stalledMs(nowMs: number): number {
    return this.#stalledSinceMs === undefined ? 0 : nowMs - this.#stalledSinceMs
  }

  /** Give up everything unacknowledged; go on with what comes next. */
  abandon(reason: MissedReason): void {
    for (const waiting of this.#unhanded) waiting.message.settle(this.member, reason)
    this.#unhanded.length = 0
    for (const cursor of this.cursors) cursor.skipToEnd((message) => message.settle(this.member, reason))
    this.openedChannels.clear()
    this.#stalledSinceMs = undefined
    for (const cursor of this.cursors) cursor.backoff = 0
    this.#askAtMs = Number.POSITIVE_INFINITY
    this.peerWindowBytes = FIRST_WINDOW_BYTES
  }
}

/** Where a data frame or a fragment names its channel, as a varint. */
const CHANNEL_AT = 5

/** Signals and unicast first, so that neither waits behind the room's chatter; bulk last. */
const PUMP_ORDER: readonly StreamIndex[] = [2, 0, 3, 1]

const streamAudience = (stream: StreamIndex): Audience => (stream < 2 ? 'room' : 'unicast')

function isUnread(unread: readonly Unread[], { message, stream }: Unhanded): boolean {
  return unread.some(
    ({ channel, audience, ordinal }) =>
      channel === message.channel && audience === streamAudience(stream) && !before(message.ordinal, ordinal),
  )
}
