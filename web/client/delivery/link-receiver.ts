import {
  type Ack,
  type Audience,
  audienceOf,
  type Greeting,
  LIMITS,
  type PieceFrame,
  STREAMS,
  type StreamAck,
  type StreamIndex,
  type Unread,
} from '../../../signaling/protocol/index.ts'
import { type Arrived, ChannelOrder } from './channel-order.ts'
import { IncomingStream } from './incoming-stream.ts'
import { ownBytes, type ReceiveBudget, type ReceiveShare } from './receive-budget.ts'
import { before } from './serial.ts'

/** Acknowledge at the latest after this many frames or bytes, so that no sender's window runs dry. */
const ACK_FRAMES = 256
const ACK_BYTES = 262_144

/**
 * By channel: the room's messages before this ordinal have been handed on, or were not for us. A broadcast may reach an
 * old beginning of a link, for which it was not sent, and then comes again in the new one, for which it was.
 */
export type HandedOn = ReadonlyMap<number, number>

export interface LinkReceiverEvents {
  /** Hand a message to the application. `false`: nobody takes it now. */
  message(message: Arrived): boolean
}

/**
 * The receiving half of a link: drops repeats, puts messages together, hands them on, and decides when to acknowledge.
 * Starts with the peer's greeting; a newer greeting is a new receiver.
 */
export class LinkReceiver {
  readonly generation: number
  readonly #streams: readonly IncomingStream[]
  readonly #orders = new Map<number, ChannelOrder>()
  readonly #share: ReceiveShare
  repeats = 0
  /** Streams with something to acknowledge, as a bit each. */
  #dirty = 0
  #framesSinceAck = 0
  #bytesSinceAck = 0
  #newestAtMs = 0
  #lastAckAtMs = Number.NEGATIVE_INFINITY
  ackDueMs = Number.POSITIVE_INFINITY
  #advertisedBytes = 0

  constructor(
    greeting: Greeting,
    budget: ReceiveBudget,
    private readonly events: LinkReceiverEvents,
    private readonly handed: HandedOn = new Map(),
  ) {
    this.generation = greeting.generation
    this.#share = budget.share()
    this.#streams = greeting.starts.map((start) => new IncomingStream(start))
    for (const { channel, ordinal, name } of greeting.channels) this.#order(channel, 'room').open(name, ordinal)
  }

  /**
   * Take a data or fragment frame. Returns whether it was a repeat, which is to be acknowledged at once on the path it
   * came by. @throws ProtocolError when the sender breaks the rules
   */
  take(piece: PieceFrame, nowMs: number): 'taken' | 'repeat' | 'refused' {
    const stream = this.#streams[piece.stream] as IncomingStream
    const arrival = stream.look(piece.seq)
    if (arrival === 'beyond') return 'refused'
    this.#dirty |= 1 << piece.stream
    if (arrival === 'repeat') {
      this.repeats += 1
      return 'repeat'
    }
    const order = this.#order(piece.channel, audienceOf(piece.stream))
    // The next missing frame of a stream is taken even so, or nothing would ever move again; but not for an
    // application that does not read, nor to wait behind what is missing on its channel: that comes first in another
    // stream.
    const ahead = order.ahead(piece)
    const next = piece.seq === stream.next && ahead === 0 && !order.blocked && this.#share.bearable
    if (ahead === Number.POSITIVE_INFINITY || (!next && !this.#share.fits(piece.body.length))) return 'refused'
    stream.take(piece.seq)
    this.#newestAtMs = nowMs
    this.#framesSinceAck += 1
    this.#bytesSinceAck += piece.body.length
    // Handed on at once, as a rule.
    const passes = next && piece.last && piece.index === 0
    order.take(passes ? piece : { ...piece, body: ownBytes(piece.body) })
    order.drain(this.events.message)
    return 'taken'
  }

  #order(channel: number, audience: Audience): ChannelOrder {
    const key = channel * 2 + (audience === 'unicast' ? 1 : 0)
    const known = this.#orders.get(key)
    if (known !== undefined) return known
    const order = new ChannelOrder(channel, audience, (bytes) => this.#share.add(bytes))
    if (audience === 'room') order.handed = this.handed.get(channel)
    this.#orders.set(key, order)
    return order
  }

  /** The name this sender gave the channel, as far as it has said. */
  channelName(channel: number): string | undefined {
    return this.#orders.get(channel * 2)?.name ?? this.#orders.get(channel * 2 + 1)?.name
  }

  /** The application takes messages of this channel (again): hand on what waits. */
  drain(channel: string): void {
    for (const order of [...this.#orders.values()]) {
      if (order.name !== channel || !order.waiting) continue
      if (order.drain(this.events.message) === 0) continue
      // The sender is to know that they have been handed on, and that there is room again.
      this.#dirty |= order.audience === 'room' ? 0b0011 : 0b1100
      this.ackDueMs = Number.NEGATIVE_INFINITY
    }
  }

  /** Something came and is to be acknowledged: now (`true`), or when `ackDueMs` comes. */
  ackWanted(nowMs: number, delayMs: number, random: () => number): boolean {
    if (this.#dirty === 0) return false
    if (this.#framesSinceAck >= ACK_FRAMES || this.#bytesSinceAck >= ACK_BYTES) return true
    if (this.ackDueMs === Number.POSITIVE_INFINITY) {
      // In a small room a lone message is acknowledged at once; in a large one its receivers spread their answers.
      const idle = nowMs - this.#lastAckAtMs >= delayMs
      this.ackDueMs = idle && delayMs <= IMMEDIATE_DELAY_MS ? nowMs : nowMs + delayMs * (0.5 + random() / 2)
    }
    return nowMs >= this.ackDueMs
  }

  /** Acknowledge at the next opportunity. `all`: every stream, changed or not. */
  wantAck(all: boolean): void {
    if (all) this.#dirty = 0b1111
    this.ackDueMs = Number.NEGATIVE_INFINITY
  }

  /** There is much more room than the sender was last told. */
  get windowOpened(): boolean {
    return this.#share.windowBytes() - this.#advertisedBytes > LIMITS.receiveBytes / 8
  }

  /** What to acknowledge, which is then taken as said. */
  takeAck(nowMs: number, delayMs: number): Ack {
    const streams: StreamAck[] = []
    let audiences = 0
    for (const stream of STREAMS) {
      if ((this.#dirty & (1 << stream)) === 0) continue
      const incoming = this.#streams[stream] as IncomingStream
      streams.push({ stream, next: incoming.next, bitmap: incoming.bitmap() })
      audiences |= audienceBit(stream)
    }
    const unread: Unread[] = []
    for (const order of this.#orders.values()) {
      if (order.waiting && (audiences & (order.audience === 'unicast' ? 2 : 1)) !== 0) {
        unread.push({ channel: order.id, audience: order.audience, ordinal: order.next })
      }
    }
    const windowBytes = this.#share.windowBytes()
    this.#advertisedBytes = windowBytes
    const heldMs = this.#framesSinceAck > 0 ? nowMs - this.#newestAtMs : 0
    this.#dirty = 0
    this.#framesSinceAck = 0
    this.#bytesSinceAck = 0
    this.#lastAckAtMs = nowMs
    this.ackDueMs = Number.POSITIVE_INFINITY
    return { heldMs, delayMs, windowBytes, streams, unread }
  }

  /** The link is over, or begins anew: what was held goes. Returns what has been handed on. */
  close(): HandedOn {
    const handed = new Map(this.handed)
    for (const order of this.#orders.values()) {
      const { id, name, audience, next } = order
      if (audience === 'room' && name !== undefined && !before(next, handed.get(id) ?? next)) handed.set(id, next)
      order.clear()
    }
    this.#orders.clear()
    return handed
  }
}

/** Rooms whose delay is at most this (10 members) acknowledge a lone message at once. */
const IMMEDIATE_DELAY_MS = 20

const audienceBit = (stream: StreamIndex): number => (stream < 2 ? 1 : 2)
