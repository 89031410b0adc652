/**
 * The message channels that the application has made, each once for its name, and the files offered on them. Here is what
 * a channel does with a message: sign it, store it, send it to all devices of a user. How messages travel, who signs and
 * what is kept, others know; the room only asks for a channel.
 */
import { LIMITS, type PeerId } from '../../signaling/protocol/index.ts'
import { encodePayload } from './channel/content.ts'
import { Offers } from './channel/offer.ts'
import { ReliableChannel } from './channel/reliable.ts'
import type { Clock } from './clock.ts'
import type { OutgoingMessage } from './delivery/outgoing-message.ts'
import { PartylineError } from './errors.ts'
import type { Message, Payload, Peer, SealingMode } from './face.ts'
import type { Gate } from './gate.ts'
import type { HistoryOnDemand } from './history/on-demand.ts'
import type { Later } from './later.ts'
import type { RoomChannels } from './room-channels.ts'
import type { RoomClaims } from './room-claims.ts'
import type { RoomLinks } from './room-links.ts'
import type { RoomWorld } from './room-world.ts'

export interface MessageChannelsDeps {
  readonly clock: Clock
  readonly sealing: SealingMode
  readonly channels: Pick<RoomChannels, 'open' | 'taker' | 'send' | 'drain' | 'port'>
  readonly links: Pick<RoomLinks, 'outbox' | 'peers'>
  readonly claims: Pick<Later<RoomClaims>, 'do'>
  readonly history: Pick<HistoryOnDemand, 'here' | 'hear' | 'use'>
  readonly gate: Pick<Gate, 'refuse'>
  readonly transfers?: RoomWorld['transfers']
  /** Room-clock time, ms. */
  now(): number
  /** As the application sees them. */
  peers(): Iterable<Pick<Peer, 'id' | 'userId'>>
}

/** One channel for all files' control messages, one for all their bytes. */
const FILES = 'files'

export class MessageChannels {
  readonly #deps: MessageChannelsDeps
  /** By name. */
  readonly made = new Map<string, ReliableChannel<Payload>>()
  readonly #offers: Offers
  #closed = false

  constructor(deps: MessageChannelsDeps) {
    this.#deps = deps
    const { channels, links } = deps
    this.#offers = new Offers({
      ...deps,
      control: channels.port('f', FILES),
      data: channels.port('b', FILES),
      members: () => links.peers.keys(),
      load: deps.transfers,
      refuses: (from, name) => (this.made.get(name)?.signed ? this.#unsigned(from) : false),
    })
  }

  /** @throws PartylineError `bad-argument` */
  open(name: string, signed: boolean): ReliableChannel<Payload> {
    const { channels, claims, history } = this.#deps
    const known = this.made.get(name)
    if (
      typeof signed !== 'boolean' ||
      (known?.signed ?? signed) !== signed ||
      (signed && this.#deps.sealing === 'open')
    ) {
      throw new PartylineError('bad-argument', 'signed: a boolean, the same for a name, and false in an open room')
    }
    if (known !== undefined) return known
    const { outbox, peers } = this.#deps.links
    const outgoing = channels.open(signed ? 's' : 'm', name)
    const sign = (message: OutgoingMessage): void =>
      claims.do(
        (claimed) => claimed.sign(outgoing.name, message),
        message,
        () => outbox.giveUp(message),
      )
    const channel = new ReliableChannel<Payload>(
      name,
      {
        send: (data, to, { signal, store, user }) => {
          const receivers = user === undefined ? to : this.#devicesOf(user)
          const sent = channels.send(outgoing, data, receivers, signal, signed ? sign : undefined)
          if (!store && user === undefined) return sent
          const payload = encodePayload(data, LIMITS.messageBytes)
          const atMs = this.#deps.now()
          const isAlone = !signed && (user === undefined ? to === undefined : !store)
          return Object.assign(sent, {
            stored: history.use((kept) => kept.store(name, sent, payload, atMs, user, isAlone)),
          })
        },
        drain: () => {
          history.here?.work()
          channels.drain(outgoing)
        },
        offer: (data, options) =>
          this.#offers.offer(name, data, signed ? { to: [...peers.keys()], ...options } : options),
        onOffer: (handler) => this.#offers.on(name, handler),
      },
      signed,
    )
    // Nothing of a signed channel is stored.
    channels.taker(outgoing, (message) =>
      signed ? channel.take(message as Message<Payload>) : history.hear(channel, message),
    )
    if (signed) {
      claims.do((claimed) => claimed.signs())
      // What comes without a signature has its turn, and is not heard.
      channels.taker({ name: `m:${name}` }, ({ from }) => this.#unsigned(from))
    }
    this.made.set(name, channel)
    if (this.#closed) channel.close()
    return channel
  }

  #devicesOf(user: string): readonly PeerId[] {
    return [...this.#deps.peers()].flatMap(({ id, userId }) => (userId === user ? [id] : []))
  }

  #unsigned(from: PeerId): true {
    this.#deps.gate.refuse(from, 'unsigned')
    return true
  }

  /** Hand on what waits on all of them. */
  drain(): void {
    for (const name of this.made.keys()) this.#deps.channels.drain({ name: `m:${name}` })
  }

  /** The room is over. */
  close(): void {
    this.#closed = true
    this.#offers.close()
    for (const channel of this.made.values()) channel.close()
  }
}
