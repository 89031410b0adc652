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
import { PartylineError } from '../errors.ts'
import type { LinkSender } from './link-sender.ts'
import { OutgoingChannel } from './outgoing-channel.ts'
import { OutgoingMessage } from './outgoing-message.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import { type Broadcast, pumpRelayed } from './relayed-frames.ts'
import { hasRoom, RoomStream } from './room-stream.ts'
import { WaitingMessages } from './waiting-messages.ts'

/**
 * All that this member sends: the room's streams, each link's own, and what waits before them.
 *
 * A message waits (bounded, by stream) until its stream takes it: then it gets its frames, and its audience is fixed.
 * That is `accepted`. It is kept until every cursor has passed it.
 */
export class Outbox {
  readonly #room: readonly [RoomStream, RoomStream]
  readonly #senders = new Map<PeerId, LinkSender>()
  readonly #channels: OutgoingChannel[] = []
  /** What was sent and is not accepted yet. */
  readonly waiting = new WaitingMessages((message, to) => {
    const channel = this.#channels[message.channel]
    if (channel === undefined || !this.#takes(message.channel, message.lane, to)) return false
    this.#accept(channel, message, to)
    return true
  })
  #open = false

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
    this.#room = [new RoomStream(0, deps.firstSeq(), this.#senders), new RoomStream(1, deps.firstSeq(), this.#senders)]
  }

  get roomStreams(): readonly [OutgoingStream, OutgoingStream] {
    return [this.#room[0].stream, this.#room[1].stream]
  }

  /** @throws PartylineError `bad-argument` when the room has all the channels it may have: `most` */
  openChannel(name: string, most: number = LIMITS.channels): OutgoingChannel {
    const known = this.#channels.find((channel) => channel.name === name)
    if (known !== undefined) return known
    if (this.#channels.length >= most) {
      throw new PartylineError('bad-argument', `A room has at most ${LIMITS.channels - 1} channels`)
    }
    const channel = new OutgoingChannel(this.#channels.length, name)
    this.#channels.push(channel)
    return channel
  }

  /** What a greeting says of the channels: where the room's messages begin for a newcomer. */
  channelTable(): { channel: number; ordinal: number; name: string }[] {
    return this.#channels
      .filter(({ greeted }) => greeted)
      .map(({ id, name, roomOrdinal }) => ({
        channel: id,
        name,
        // Waiting messages have their ordinals already, but newcomers are addressed by them.
        ordinal: this.waiting.first(id)?.ordinal ?? roomOrdinal,
      }))
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
    this.waiting.drop(member, 'left')
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
    if (channel.id !== 0) this.waiting.ensureRoom(body.length, 1)
    const lane: Lane = body.length > LIMITS.fragmentBytes ? 'bulk' : 'small'
    const sender = to === undefined ? undefined : this.#senders.get(to)
    const gone = to !== undefined && sender === undefined
    const ordinal = gone ? 0 : channel.takeOrdinal(sender)
    const id = to === undefined ? `${this.deps.instance}-${channel.id}-${ordinal}` : this.unicastId(channel, number)
    const message = new OutgoingMessage(id, channel.id, ordinal, number, lane, sentWire, content, body)
    if (gone) {
      message.accept([to])
      message.settle(to, 'left')
      return message
    }
    message.late = late
    const others = this.waiting.has(to)
    if (!late && (!others || channel.id === 0) && this.#takes(channel.id, lane, to)) {
      this.#accept(channel, message, to)
      this.#sendOut(sender)
      return message
    }
    this.waiting.add(message, to)
    // Behind what waits for another stream there may still be room in this one's.
    if (others && this.waiting.release(to)) this.#sendOut(sender)
    return message
  }

  unicastId(channel: OutgoingChannel, number: number): string {
    return `${this.deps.instance}-${channel.id}-u${number}`
  }

  /** Whether the stream takes another message now. The link's own messages are always taken. */
  #takes(channel: number, lane: Lane, to: PeerId | undefined): boolean {
    if (to !== undefined) {
      if (channel === 0) return true
      const sender = this.#senders.get(to)
      return sender === undefined || hasRoom(sender.cursor(streamIndex('unicast', lane)))
    }
    return this.#open && this.#room[lane === 'bulk' ? 1 : 0].hasRoom
  }

  #accept(channel: OutgoingChannel, message: OutgoingMessage, to: PeerId | undefined): void {
    const sender = to === undefined ? undefined : this.#senders.get(to)
    const stream =
      sender === undefined
        ? this.#room[message.lane === 'bulk' ? 1 : 0].stream
        : sender.cursor(streamIndex('unicast', message.lane)).stream
    const opens = channel.opens(sender, this.#senders.size > 0)
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

  /** A message to the room that is late, and cannot be made whole. */
  giveUp(message: OutgoingMessage): void {
    this.waiting.abort(message, undefined, 'unsupported')
    message.late = false
    this.flush()
  }

  /** Accept what waits, as far as the streams take it, and send what may go. */
  flush(): void {
    // What goes out makes room for more, and a path that took it all will not call for it.
    do this.#sendOut()
    while (this.waiting.releaseAll())
  }

  /** To everyone, or to this one alone; and room frames to all on the relay. */
  #sendOut(only?: LinkSender, relayed = only === undefined): void {
    const nowMs = this.deps.now()
    if (relayed) pumpRelayed(this.#senders, this.deps.broadcast, nowMs)
    for (const sender of only === undefined ? this.#senders.values() : [only]) {
      sender.pump(nowMs)
      this.deps.sent(sender.member)
    }
  }

  /** Its path takes frames again. */
  writable(sender: LinkSender): void {
    if (this.waiting.none) this.pump(sender)
    else this.flush()
  }

  /** Send this member what may go. */
  pump(sender: LinkSender): void {
    this.#sendOut(sender, sender.outlet?.kind === 'relay')
  }

  /** A member has acknowledged more: there may be room for what waits, and someone may be too far behind. */
  acknowledged(sender: LinkSender): void {
    for (const stream of this.#room) stream.moved(sender)
    this.writable(sender)
    for (const lagging of this.#room.flatMap((stream) => stream.lagging())) this.deps.lagging(lagging)
  }

  /** Someone has come, gone or been cut off: forget what everyone has. */
  trim(): void {
    for (const stream of this.#room) stream.trim()
  }

  trimUnicast(sender: LinkSender): void {
    for (const index of [2, 3] as const) {
      const cursor = sender.cursors[index]
      cursor.stream.trim(cursor.acked, cursor.messagePosition)
    }
  }

  /** Nothing more goes out. */
  close(): void {
    this.waiting.close()
  }
}
