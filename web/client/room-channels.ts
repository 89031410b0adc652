/** The channels of a room: who takes what arrives, and how what is sent becomes messages. */

import {
  type Audience,
  CONTENT,
  LIMITS,
  type PeerId,
  ProtocolError,
  type Published,
  utf8Bytes,
} from '../../signaling/protocol/index.ts'
import { decodePayload, encodePayload } from './channel/content.ts'
import type { ReliablePort } from './channel/port.ts'
import { refuseCall } from './channel/procedure.ts'
import type { Checked } from './channel/signed.ts'
import type { Arrived } from './delivery/channel-order.ts'
import type { Outbox } from './delivery/outbox.ts'
import type { OutgoingChannel } from './delivery/outgoing-channel.ts'
import type { Delivered, OutgoingMessage } from './delivery/outgoing-message.ts'
import { PartylineError } from './errors.ts'
import { Emitter } from './events.ts'
import type { Message, MissedReason, Payload, Sent } from './face.ts'
import { fromWire } from './room-clock.ts'
import { joined } from './sealing/octets.ts'

/**
 * Kinds of channel: the first letter of the name that travels. Message · signed message · files' control · files' bytes ·
 * latest · procedure.
 */
export type ChannelKind = 'm' | 's' | 'f' | 'b' | 'l' | 'p'

/** Before the payload of a signed message: the signature, and what the payload is. */
const SIGNATURE_BYTES = 64

/** So many channels are opened to refuse what others ask for; the rest are this member's own. */
const MOST_FOREIGN = LIMITS.channels / 4

/** Takes a message, or says that nobody takes it now. */
export type Take = (message: Message<unknown>) => boolean

/** What backends published for channels that nobody reads yet; the oldest are forgotten. */
const MOST_PUBLISHED = 256

export interface RoomChannelsDeps {
  readonly outbox: Outbox
  /** Whether a peer, or this member, may send to this audience. */
  allowed(from: PeerId | undefined, audience: Audience): boolean
  sentNow(): number
  nowMs(): number
  instanceOf(peer: PeerId): string
  drain(wireName: string): void
  /**
   * What a signed message to the room holds, with its payload for a body. Or: true, its turn passes, for it is not to be
   * handed on; false, it has to wait.
   */
  checked(from: PeerId, arrived: Arrived): Checked | boolean
}

interface Events {
  leave: PeerId
}

export class RoomChannels {
  readonly #takers = new Map<string, Take>()
  readonly #events = new Emitter<Events>()
  readonly #published: { readonly channel: string; readonly message: Message<unknown> }[] = []

  constructor(private readonly deps: RoomChannelsDeps) {}

  /** This member's number for a channel. @throws PartylineError `bad-argument` on the name, or when there are too many */
  open(kind: ChannelKind, name: string): OutgoingChannel {
    const most = LIMITS.channelNameBytes - 4
    if (typeof name !== 'string' || name === '' || utf8Bytes(name) > most) {
      throw new PartylineError('bad-argument', `channel name: expected a string of 1 to ${most} bytes of UTF-8`)
    }
    return this.deps.outbox.openChannel(`${kind}:${name}`)
  }

  /** Who takes what comes on a channel. */
  taker(channel: Pick<OutgoingChannel, 'name'>, take: Take): void {
    this.#takers.set(channel.name, take)
  }

  drain(channel: Pick<OutgoingChannel, 'name'>): void {
    this.deps.drain(channel.name)
    this.#drainPublished()
  }

  /** A message from a backend. It waits until its channel takes it, behind those before it. How many were forgotten. */
  published({ id, channel, to, sentAtMs, data, base64 }: Published): number {
    const content = base64 === undefined ? data : Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0))
    const message = { id, from: 'server' as PeerId, data: content, sentAtMs, direct: to !== 'room' }
    this.#published.push({ channel: `m:${channel}`, message })
    this.#drainPublished()
    return this.#published.splice(0, this.#published.length - MOST_PUBLISHED).length
  }

  #drainPublished(): void {
    const refused = new Set<string>()
    for (let at = 0; at < this.#published.length; ) {
      const [one] = this.#published.splice(at, 1)
      // It is out of the list while its handler runs, which may bring us here again.
      if (one === undefined || (!refused.has(one.channel) && this.#takers.get(one.channel)?.(one.message))) continue
      refused.add(one.channel)
      this.#published.splice(at, 0, one)
      at += 1
    }
  }

  /**
   * `sign`: writes the signature to the beginning of the body of a message to the room, which waits for it.
   * @throws PartylineError `queue-full`, `too-large`, `closed`, `bad-argument`
   */
  send(
    channel: OutgoingChannel,
    data: unknown,
    to: readonly PeerId[] | undefined,
    signal?: AbortSignal,
    sign?: (message: OutgoingMessage) => void,
  ): Sent {
    const { outbox } = this.deps
    if (!this.deps.allowed(undefined, to === undefined ? 'room' : 'unicast')) {
      throw new PartylineError('denied', 'The access token does not allow this')
    }
    const isSigned = sign !== undefined && to === undefined
    const { content, body } = encodePayload(data, LIMITS.messageBytes - (isSigned ? SIGNATURE_BYTES + 1 : 0))
    const wire = this.deps.sentNow()
    if (signal?.aborted) throw new PartylineError('aborted', 'The message was given up before it was sent')
    if (isSigned) {
      const whole = joined(new Uint8Array(SIGNATURE_BYTES), Uint8Array.of(content), body)
      const message = outbox.send(channel, CONTENT.binary, whole, wire, undefined, 0, true)
      sign(message)
      return message
    }
    if (to === undefined) {
      const message = outbox.send(channel, content, body, wire)
      if (signal !== undefined) giveUpOn(signal, message.accepted, () => outbox.waiting.abort(message))
      return message
    }
    outbox.waiting.ensureRoom(body.length * to.length, to.length)
    const number = channel.takeNumber()
    const messages = to.map((id) => outbox.send(channel, content, body, wire, id, number))
    const sent = together(outbox.unicastId(channel, number), messages)
    if (signal !== undefined) {
      giveUpOn(signal, sent.accepted, () => messages.map((message, index) => outbox.waiting.abort(message, to[index])))
    }
    return sent
  }

  /** A message of a peer has its turn. False: nobody takes it now. */
  take(from: PeerId, arrived: Arrived): boolean {
    const { channel, audience } = arrived
    // Direct paths do not pass the server, which would have kept it: it only has its turn.
    if (!this.deps.allowed(from, audience)) return true
    const toRoom = audience === 'room'
    // Who can forge what goes to the room could ask and answer in another's name.
    if (toRoom && /^[pb]:/.test(channel)) return true
    const take = this.#takers.get(channel)
    if (take === undefined && !channel.startsWith('p:')) return false
    if (toRoom && channel.startsWith('s:')) {
      const checked = this.deps.checked(from, arrived)
      return typeof checked === 'boolean' ? checked : checked.hand(() => this.#hand(from, checked, take))
    }
    return this.#hand(from, arrived, take)
  }

  #hand(from: PeerId, arrived: Arrived, take: Take | undefined): boolean {
    let data: unknown
    try {
      data = decodePayload(arrived.content, arrived.body)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // The sender's fault: its turn passes.
      return true
    }
    if (take === undefined) {
      // A procedure nobody has made here: the asker is told at once, and nothing waits.
      const refusal = refuseCall(data)
      try {
        if (refusal !== undefined)
          this.send(this.deps.outbox.openChannel(arrived.channel, MOST_FOREIGN), refusal, [from])
      } catch (error) {
        // Too much waits, or others have asked for too many things that nobody makes: they run out of time instead.
        if (!(error instanceof PartylineError)) throw error
      }
      return true
    }
    const direct = arrived.audience !== 'room'
    const ordinal = direct ? `u${arrived.number}` : arrived.ordinal
    return take({
      id: `${this.deps.instanceOf(from)}-${arrived.channelId}-${ordinal}`,
      from,
      data,
      sentAtMs: fromWire(arrived.sent, this.deps.nowMs()),
      direct,
    })
  }

  /** A channel inside the client, for procedures and files: whoever listens takes everything. */
  port(kind: ChannelKind, name: string): ReliablePort {
    const channel = this.open(kind, name)
    const messages = new Emitter<{ message: Message<unknown>; waiting: undefined }>()
    this.taker(channel, (message) => {
      if (messages.count('message') === 0) {
        messages.emit('waiting', undefined)
        return false
      }
      messages.emit('message', message)
      return true
    })
    return {
      send: (data: Payload, to) => this.send(channel, data, typeof to === 'string' ? [to] : to),
      onMessage: (handler) => {
        const unsubscribe = messages.on('message', handler)
        this.drain(channel)
        return unsubscribe
      },
      onWaiting: (handler) => messages.on('waiting', handler),
      onLeave: (handler) => this.#events.on('leave', handler),
    }
  }

  left(peer: PeerId): void {
    this.#events.emit('leave', peer)
  }

  close(): void {
    this.#takers.clear()
    this.#published.length = 0
    this.#events.clear()
  }
}

function giveUpOn(signal: AbortSignal, accepted: Promise<void>, giveUp: () => void): void {
  signal.addEventListener('abort', giveUp, { once: true })
  const done = (): void => signal.removeEventListener('abort', giveUp)
  accepted.then(done, done)
}

/** Several messages with one id, as one. */
function together(id: string, messages: readonly OutgoingMessage[]): Sent {
  const accepted = Promise.all(messages.map((message) => message.accepted)).then(() => undefined)
  accepted.catch(() => {})
  const delivered = Promise.all(messages.map((message) => message.delivered)).then((outcomes): Delivered => {
    const missed = new Map<PeerId, MissedReason>()
    for (const outcome of outcomes) for (const [peer, reason] of outcome.missed) missed.set(peer, reason)
    return { to: outcomes.flatMap((outcome) => outcome.to), missed }
  })
  return { id, accepted, delivered }
}
