/**
 * What is said about offered files, and their bytes: who accepts, and who has taken how much. Loaded with the first file
 * that is offered or asked for.
 */
import type { PeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import type { Emitter } from '../events.ts'
import type { FileOffer, Unsubscribe } from '../face.ts'
import type { OffersPort } from './offer.ts'
import { IncomingOffer } from './offer-in.ts'
import { OFFER_LIMITS } from './offer-limits.ts'
import { type Offered, OutgoingFile } from './offer-out.ts'
import { type Announcement, decodeChunk, type OfferMessage, parseOfferMessage } from './offer-wire.ts'
import { Outbox, type PortMessage } from './port.ts'

export interface TransfersPort extends Pick<OffersPort, 'clock' | 'control' | 'data' | 'refuses'> {
  /** Of `control`. */
  readonly outbox: Pick<Outbox, 'tell'>
  /** Handlers of offers, by channel. */
  readonly emitter: Pick<Emitter<Record<string, FileOffer>>, 'count' | 'emit'>
  /** Nobody may accept this one of ours any more, and nothing is under way. */
  over(n: number): void
}

interface Incoming {
  readonly channel: string
  /** To the room, and not to us alone. */
  readonly toRoom: boolean
  readonly offer: IncomingOffer
  /** Whether a handler was called with it. */
  heard: boolean
}

export class Transfers {
  readonly #port: TransfersPort
  readonly #controlOutbox: Pick<Outbox, 'tell'>
  readonly #dataOutbox: Outbox
  readonly #outgoing = new Map<number, OutgoingFile>()
  readonly #incoming = new Map<PeerId, Map<number, Incoming>>()
  #unsubscribe: readonly Unsubscribe[] = []

  constructor(port: TransfersPort) {
    this.#port = port
    this.#controlOutbox = port.outbox
    this.#dataOutbox = new Outbox(port.clock, port.data)
  }

  /** What members say is heard from now on; what waited comes first. */
  listen(): void {
    this.#unsubscribe = [
      this.#port.control.onMessage((message) => this.#receive(message)),
      this.#port.data.onMessage(({ from, data }) => this.#receiveChunk(from, data)),
    ]
  }

  /** A file of ours was announced. */
  offered(offered: Offered): void {
    const { n } = offered
    const file = new OutgoingFile(
      {
        tell: (peers, told) => this.#controlOutbox.tell(told, peers),
        sendChunk: (peer, chunk) => this.#dataOutbox.post(chunk, peer),
        over: () => {
          this.#outgoing.delete(n)
          this.#port.over(n)
        },
      },
      offered,
    )
    this.#outgoing.set(n, file)
  }

  /** False: there is none with this number. */
  withdraw(n: number): boolean {
    const file = this.#outgoing.get(n)
    file?.withdraw()
    return file !== undefined
  }

  /** This channel has its first handler: it gets the open offers that came before it. */
  hearAll(channel: string): void {
    for (const offers of this.#incoming.values())
      for (const incoming of [...offers.values()]) this.#hear(incoming, channel)
  }

  /** Nothing can be sent to this member any more, and nothing comes. */
  left(peer: PeerId): void {
    this.#end(peer, 'left', 'The sender left')
  }

  /** The room is over. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#dataOutbox.close()
    for (const peer of [...this.#incoming.keys()]) this.#end(peer, 'closed', 'The room is closed')
    for (const file of [...this.#outgoing.values()]) file.close()
  }

  #hear(incoming: Incoming, channel: string): void {
    if (incoming.heard || incoming.channel !== channel || this.#port.emitter.count(channel) === 0) return
    incoming.heard = true
    if (incoming.toRoom && this.#port.refuses?.(incoming.offer.from, channel)) {
      incoming.offer.decline()
      return
    }
    this.#port.emitter.emit(channel, incoming.offer)
  }

  /** Nothing more with this member. */
  #end(peer: PeerId, code: PartylineErrorCode, why: string): void {
    for (const { offer } of [...(this.#incoming.get(peer)?.values() ?? [])]) offer.end(new PartylineError(code, why))
    for (const file of [...this.#outgoing.values()]) {
      if (code === 'protocol') file.fail(peer)
      else file.left(peer)
    }
  }

  #receive({ from, data, id, sentAtMs, direct }: PortMessage): void {
    let message: OfferMessage | undefined
    try {
      message = parseOfferMessage(data)
    } catch (error) {
      this.#end(from, 'protocol', (error as Error).message)
      return
    }
    const toRoom = direct === false
    // Only offers are for the room: what is about one transfer comes from its two ends.
    if (message === undefined || (toRoom && message.t !== 'offer')) return
    const file = this.#outgoing.get(message.n)
    const incoming = this.#incoming.get(from)?.get(message.n)?.offer
    switch (message.t) {
      case 'offer':
        this.#offered(from, id, sentAtMs, toRoom, message)
        break
      case 'withdraw': {
        const why = message.unreadable ? 'The sender cannot read the file' : 'The sender withdrew the file'
        incoming?.end(new PartylineError('withdrawn', why))
        break
      }
      case 'accept':
        if (file !== undefined) file.accepted(from, message.windowBytes)
        else this.#controlOutbox.tell({ t: 'withdraw', n: message.n }, from)
        break
      case 'progress':
        file?.progressed(from, message.bytes)
        break
      case 'decline':
        file?.declined(from)
    }
  }

  #offered(from: PeerId, id: string, sentAtMs: number, toRoom: boolean, announcement: Announcement): void {
    const offers = this.#incoming.get(from) ?? new Map<number, Incoming>()
    const { n, channel } = announcement
    if (offers.has(n)) {
      this.#end(from, 'protocol', 'An offer with the number of another')
      return
    }
    if (offers.size >= OFFER_LIMITS.open) {
      this.#controlOutbox.tell({ t: 'decline', n }, from)
      return
    }
    const offer = new IncomingOffer(
      {
        clock: this.#port.clock,
        tell: (message) => this.#controlOutbox.tell(message, from),
        over: () => {
          offers.delete(n)
          if (offers.size === 0) this.#incoming.delete(from)
        },
      },
      from,
      id,
      sentAtMs,
      announcement,
    )
    const incoming = { channel, toRoom, offer, heard: false }
    this.#incoming.set(from, offers.set(n, incoming))
    this.#hear(incoming, channel)
  }

  /** A chunk of a transfer that ended here was on its way when it did. */
  #receiveChunk(from: PeerId, data: unknown): void {
    try {
      const chunk = decodeChunk(data)
      if (chunk !== undefined) this.#incoming.get(from)?.get(chunk.n)?.offer.take(chunk)
    } catch (error) {
      this.#end(from, 'protocol', (error as Error).message)
    }
  }
}
