import {
  type Content,
  encodeData,
  encodeFragment,
  type InstanceId,
  type Lane,
  LIMITS,
  type MessageHead,
  type PeerId,
  streamIndex,
} from '../../../signaling/protocol/index.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import type { Cursor } from './cursor.ts'
import type { LinkSender } from './link-sender.ts'
import { OutgoingMessage } from './outgoing-message.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { distance, plus } from './serial.ts'
import { StreamBase } from './stream-base.ts'

/**
 * Accepted is what the best receiver's path takes now, and so much more that it never runs dry: 0.1 s at 2.5 MB/s. A
 * longer queue would be in the way of what comes after it, and would be no back-pressure.
 */
const UNSENT_BYTES = 262_144

/** How names of signed channels begin: greetings tell where these are from the moment they are there. */
const SIGNED = 's:'

/** A channel as its sender sees it. */
export interface OutgoingChannel {
  readonly id: number
  /** With its kind: what travels. */
  readonly name: string
  /** Ordinal of the next message to the room. */
  roomOrdinal: number
  /** Whether the name has been said: by a room message, or for a `latest` channel by itself. Greetings say it too. */
  roomOpened: boolean
  /** Number of the next unicast message, to whomever. */
  unicastNumber: number
}

/** Sends one frame to several members in one uplink message. `false`: it takes nothing now. */
export type Broadcast = (lane: Lane, frame: Uint8Array, to: readonly PeerId[]) => boolean

/**
 * All that this member sends: the room's streams, each link's own, and what waits before them.
 *
 * A message waits (bounded, by stream) until its stream takes it: then it gets its frames, and its audience is fixed.
 * That is `accepted`. It is kept until every cursor has passed it.
 */
export class Outbox {
  readonly #room: readonly [OutgoingStream, OutgoingStream]
  readonly #senders = new Map<PeerId, LinkSender>()
  readonly #bases: readonly [StreamBase, StreamBase]
  readonly #channels: OutgoingChannel[] = []
  /** By audience (`undefined`: the room), so that nobody's messages wait behind another's. */
  readonly #waiting = new Map<PeerId | undefined, OutgoingMessage[]>()
  #waitingMessages = 0
  #waitingBytes = 0
  #open = false
  #closed = false

  constructor(
    private readonly deps: {
      readonly instance: InstanceId
      readonly now: () => number
      /** First sequence number of a new stream: random, so that the wrap is met in practice. */
      readonly firstSeq: () => number
      readonly broadcast: Broadcast
      /** Something was sent to this member: its timers may have to be set. */
      readonly sent: (member: PeerId) => void
      /** This member is too far behind the others: it is to be cut off. */
      readonly lagging: (sender: LinkSender) => void
    },
  ) {
    this.#room = [new OutgoingStream(0, deps.firstSeq()), new OutgoingStream(1, deps.firstSeq())]
    this.#bases = [new StreamBase(this.#room[0], 0, this.#senders), new StreamBase(this.#room[1], 1, this.#senders)]
  }

  get roomStreams(): readonly [OutgoingStream, OutgoingStream] {
    return this.#room
  }

  get queuedBytes(): number {
    return this.#waitingBytes
  }

  get retainedBytes(): number {
    return this.#room[0].retainedBytes + this.#room[1].retainedBytes
  }

  /** @throws PartylineError `bad-argument` when the room has all the channels it may have: `most` */
  openChannel(name: string, most: number = LIMITS.channels): OutgoingChannel {
    const known = this.#channels.find((channel) => channel.name === name)
    if (known !== undefined) return known
    if (this.#channels.length >= most) {
      throw new PartylineError('bad-argument', `A room has at most ${LIMITS.channels - 1} channels`)
    }
    const channel = { id: this.#channels.length, name, roomOrdinal: 0, roomOpened: false, unicastNumber: 0 }
    this.#channels.push(channel)
    return channel
  }

  /** What a greeting says of the channels: where the room's messages begin for a newcomer. */
  channelTable(): { channel: number; ordinal: number; name: string }[] {
    return this.#channels
      .filter(({ roomOpened, name }) => roomOpened || name.startsWith(SIGNED))
      .map(({ id, name, roomOrdinal }) => ({ channel: id, name, ordinal: this.#acceptedOrdinal(id, roomOrdinal) }))
  }

  /** Waiting messages have their ordinals already, but newcomers are addressed by them. */
  #acceptedOrdinal(channel: number, next: number): number {
    const first = this.#waiting.get(undefined)?.find((message) => message.channel === channel)
    return first?.ordinal ?? next
  }

  /** The room may be talked to from now on: what waited goes. */
  open(): void {
    this.#open = true
    this.flush()
  }

  add(sender: LinkSender): void {
    this.#senders.set(sender.member, sender)
  }

  /** The member is gone: nothing more goes to it. Its own `abandon` has settled what was under way. */
  remove(member: PeerId): void {
    this.#senders.delete(member)
    this.#dropWaiting(member, 'left')
    this.trim()
    this.flush()
  }

  /**
   * Put a message on its way. `to`: one member; absent: the room. `late`: it waits until it is not `late` any more, and
   * `flush` is called; its body may be written to until then.
   * @throws PartylineError `queue-full`, `closed`
   */
  send(
    channel: OutgoingChannel,
    content: Content,
    body: Uint8Array,
    sentWire: number,
    to?: PeerId,
    number = 0,
    late = false,
  ): OutgoingMessage {
    if (channel.id !== 0) this.ensureRoom(body.length, 1)
    const lane: Lane = body.length > LIMITS.fragmentBytes ? 'bulk' : 'small'
    const ordinal = this.#takeOrdinal(channel, to)
    const place = `${channel.id}-${to === undefined ? ordinal : `u${number}`}`
    const message = new OutgoingMessage(this.deps, place, channel.id, ordinal, number, lane, sentWire, content, body)
    if (to !== undefined && !this.#senders.has(to)) {
      message.accept([to])
      message.settle(to, 'left')
      return message
    }
    message.late = late
    const waiting = this.#waiting.get(to)
    if (!late && (waiting === undefined || channel.id === 0) && this.#takes(channel.id, lane, to)) {
      this.#accept(channel, message, to)
      this.#sendOut(to)
      return message
    }
    if (waiting === undefined) this.#waiting.set(to, [message])
    else waiting.push(message)
    this.#waitingMessages += 1
    this.#waitingBytes += body.length
    // Behind what waits for another stream there may still be room in this one's.
    if (waiting !== undefined && this.#acceptWaiting(to, waiting)) this.#sendOut(to)
    return message
  }

  /** @throws PartylineError `queue-full`, `closed` */
  ensureRoom(bytes: number, messages: number): void {
    if (this.#closed) throw new PartylineError('closed', 'The room is closed')
    if (
      this.#waitingMessages + messages > LIMITS.queuedMessages ||
      (this.#waitingBytes > 0 && this.#waitingBytes + bytes > LIMITS.queuedBytes)
    ) {
      throw new PartylineError('queue-full', 'Too much waits to be sent: await `accepted` between sends')
    }
  }

  unicastId(channel: OutgoingChannel, number: number): string {
    return `${this.deps.instance}-${channel.id}-u${number}`
  }

  /** Numbers for a message to several members, so that it has one id. */
  takeNumber(channel: OutgoingChannel): number {
    const number = channel.unicastNumber
    channel.unicastNumber = (number + 1) >>> 0
    return number
  }

  #takeOrdinal(channel: OutgoingChannel, to: PeerId | undefined): number {
    if (to === undefined) {
      const ordinal = channel.roomOrdinal
      channel.roomOrdinal = plus(ordinal, 1)
      return ordinal
    }
    const ordinals = this.#senders.get(to)?.unicastOrdinals
    const ordinal = ordinals?.get(channel.id) ?? 0
    ordinals?.set(channel.id, plus(ordinal, 1))
    return ordinal
  }

  /** Whether the stream takes another message now. The link's own messages are always taken. */
  #takes(channel: number, lane: Lane, to: PeerId | undefined): boolean {
    if (to !== undefined) {
      if (channel === 0) return true
      const sender = this.#senders.get(to)
      return sender === undefined || hasRoom(sender.cursor(streamIndex('unicast', lane)))
    }
    if (!this.#open) return false
    const stream = lane === 'bulk' ? 1 : 0
    if (this.#room[stream].retainedBytes >= LIMITS.retainedBytes) return false
    if (this.#senders.size === 0) return true
    // The sender goes at the pace of the most up-to-date member, nobody waits for the slowest.
    for (const { cursors } of this.#senders.values()) if (hasRoom(cursors[stream])) return true
    return false
  }

  /** How far the most up-to-date member is behind. */
  #leaderLagBytes(stream: 0 | 1): number {
    let least = Number.POSITIVE_INFINITY
    for (const sender of this.#senders.values()) least = Math.min(least, sender.cursor(stream).lagBytes)
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  #accept(channel: OutgoingChannel, message: OutgoingMessage, to: PeerId | undefined): void {
    const sender = to === undefined ? undefined : this.#senders.get(to)
    const stream =
      sender === undefined
        ? this.#room[message.lane === 'bulk' ? 1 : 0]
        : sender.cursor(streamIndex('unicast', message.lane)).stream
    const opens = this.#opens(channel, sender)
    message.accept(to === undefined ? [...this.#senders.keys()] : [to])
    // Nobody is there to hear it. (A message that was given up has its place in the order all the same.)
    if (to === undefined && this.#senders.size === 0) return
    const { body } = message
    const head = (seq: number): MessageHead => ({
      stream: stream.index,
      seq,
      channel: channel.id,
      ordinal: message.ordinal,
      opening: opens ? { name: channel.name, ordinal: message.ordinal } : undefined,
      content: message.content,
      sent: message.sentWire,
      number: message.number,
    })
    if (body.length <= LIMITS.fragmentBytes) {
      stream.append(encodeData(head(stream.next), body))
    } else {
      const count = Math.ceil(body.length / LIMITS.fragmentBytes)
      for (let index = 0; index < count; index += 1) {
        const from = index * LIMITS.fragmentBytes
        const piece = body.subarray(from, from + LIMITS.fragmentBytes)
        stream.append(encodeFragment(head(stream.next), index, index === count - 1, body.length, piece))
      }
    }
    stream.place(message)
    message.encoded()
  }

  /** Whether this message is the first of its channel for its audience, and so says the name. */
  #opens(channel: OutgoingChannel, sender: LinkSender | undefined): boolean {
    if (sender !== undefined) {
      if (sender.openedChannels.has(channel.id)) return false
      sender.openedChannels.add(channel.id)
      return true
    }
    if (channel.roomOpened || this.#senders.size === 0) return false
    channel.roomOpened = true
    return true
  }

  /**
   * Give up a message that is still waiting, `to` one member or the room; false when it is too late. Its place in the
   * order is spoken for: it goes out empty.
   */
  abort(message: OutgoingMessage, to?: PeerId, code?: PartylineErrorCode): boolean {
    const bytes = message.body.length
    if (!message.refuse(to, 'aborted', code)) return false
    this.#waitingBytes -= bytes
    return true
  }

  /** A message to the room that is late, and cannot be made whole. */
  giveUp(message: OutgoingMessage): void {
    this.abort(message, undefined, 'unsupported')
    message.late = false
    this.flush()
  }

  #dropWaiting(to: PeerId | undefined, reason: 'left' | 'closed'): void {
    for (const message of this.#waiting.get(to) ?? []) {
      this.#leaves(message)
      message.refuse(to, reason)
    }
    this.#waiting.delete(to)
  }

  #leaves(message: OutgoingMessage): void {
    this.#waitingMessages -= 1
    this.#waitingBytes -= message.body.length
  }

  /** Accept what waits, as far as the streams take it, and send what may go. */
  flush(): void {
    // What goes out makes room for more, and a path that took it all will not call for it.
    do this.#sendOut(undefined)
    while (this.#acceptAll())
  }

  #acceptAll(): boolean {
    let accepted = false
    for (const [to, waiting] of [...this.#waiting]) if (this.#acceptWaiting(to, waiting)) accepted = true
    return accepted
  }

  /** Accept what waits for one audience; order is kept within a channel. Returns whether any was accepted. */
  #acceptWaiting(to: PeerId | undefined, waiting: readonly OutgoingMessage[]): boolean {
    const kept: OutgoingMessage[] = []
    const blocked = new Set<Lane | number>()
    let looked = 0
    for (const message of waiting) {
      if (kept.length >= MOST_BLOCKED || (blocked.has('small') && blocked.has('bulk'))) break
      looked += 1
      const channel = this.#channels[message.channel]
      if (message.late) {
        blocked.add(message.channel)
        kept.push(message)
        continue
      }
      if (
        channel === undefined ||
        blocked.has(message.lane) ||
        blocked.has(message.channel) ||
        !this.#takes(message.channel, message.lane, to)
      ) {
        blocked.add(message.lane).add(message.channel)
        kept.push(message)
        continue
      }
      this.#leaves(message)
      this.#accept(channel, message, to)
    }
    if (kept.length === looked) return false
    const left = [...kept, ...waiting.slice(looked)]
    if (left.length > 0) this.#waiting.set(to, left)
    else this.#waiting.delete(to)
    return true
  }

  #sendOut(to: PeerId | undefined): void {
    const nowMs = this.deps.now()
    if (to !== undefined) {
      this.#senders.get(to)?.pump(nowMs)
      this.deps.sent(to)
      return
    }
    this.#pumpRelayed(nowMs)
    for (const sender of this.#senders.values()) {
      sender.pump(nowMs)
      this.deps.sent(sender.member)
    }
  }

  /** Its path takes frames again. */
  writable(sender: LinkSender): void {
    if (this.#waiting.size > 0) this.flush()
    else this.pump(sender)
  }

  /** Send this member what may go. */
  pump(sender: LinkSender): void {
    const nowMs = this.deps.now()
    if (sender.outlet?.kind === 'relay') this.#pumpRelayed(nowMs)
    sender.pump(nowMs)
    this.deps.sent(sender.member)
  }

  /** Room frames to members on the relay: one uplink message for all who are to get the same frame. */
  #pumpRelayed(nowMs: number): void {
    for (const stream of [0, 1] as const) {
      const relayed = [...this.#senders.values()].filter(
        ({ outlet, cursors }) => outlet?.kind === 'relay' && cursors[stream].sent !== cursors[stream].stream.next,
      )
      if (relayed.length === 0) continue
      for (;;) {
        const group = nextGroup(relayed, stream)
        const [first] = group
        if (first === undefined) break
        const cursor = first.cursors[stream]
        const to = group.map(({ member }) => member)
        if (!this.deps.broadcast(cursor.stream.lane, cursor.stream.frame(cursor.sent), to)) break
        for (const sender of group) {
          if (sender.outlet !== undefined) sender.advanced(sender.cursors[stream], sender.outlet, nowMs)
        }
      }
    }
  }

  /** A member has acknowledged more: there may be room for what waits, and someone may be too far behind. */
  acknowledged(sender: LinkSender): void {
    for (const base of this.#bases) base.moved(sender)
    if (this.#waiting.size > 0) this.flush()
    else this.pump(sender)
    for (const lagging of this.#lagging()) this.deps.lagging(lagging)
  }

  /** Members that are much further behind than the best one. */
  #lagging(): LinkSender[] {
    const found: LinkSender[] = []
    for (const stream of this.#room) {
      if (stream.retainedBytes < LIMITS.lagBytes) continue
      const index = stream.index === 1 ? 1 : 0
      const leaderBytes = this.#leaderLagBytes(index)
      for (const sender of this.#senders.values()) {
        if (sender.cursor(index).lagBytes - leaderBytes > LIMITS.lagBytes) found.push(sender)
      }
    }
    return found
  }

  /** Someone has come, gone or been cut off: forget what everyone has. */
  trim(): void {
    for (const base of this.#bases) base.trim()
  }

  trimUnicast(sender: LinkSender): void {
    for (const index of [2, 3] as const) {
      const cursor = sender.cursors[index]
      cursor.stream.trim(cursor.acked, cursor.messagePosition)
    }
  }

  /** Nothing more goes out. */
  close(): void {
    this.#closed = true
    for (const to of [...this.#waiting.keys()]) this.#dropWaiting(to, 'closed')
  }

  /** Whether nothing waits. */
  get drained(): boolean {
    return this.#waiting.size === 0
  }
}

const hasRoom = ({ unsentBytes, lagBytes }: Cursor): boolean =>
  unsentBytes < UNSENT_BYTES && lagBytes < LIMITS.unacknowledgedBytes

/**
 * How many messages that must wait are looked past, for one of another channel that need not: as many as can wait for
 * bulk, so that no chat line waits behind them.
 */
const MOST_BLOCKED = LIMITS.queuedBytes / LIMITS.fragmentBytes

/** Those whose next frame is the oldest that anyone relayed may be sent. */
function nextGroup(senders: readonly LinkSender[], stream: 0 | 1): readonly LinkSender[] {
  let group: LinkSender[] = []
  let least = Number.POSITIVE_INFINITY
  for (const sender of senders) {
    const cursor = sender.cursors[stream]
    if (sender.outlet === undefined || cursor.hasLost || !sender.mayAdvance(cursor, sender.outlet)) continue
    const position = distance(cursor.stream.base, cursor.sent)
    if (position < least) {
      least = position
      group = [sender]
    } else if (position === least) {
      group.push(sender)
    }
  }
  return group
}
