/** Files and other bytes, offered to members and moved only to those who accept. */
import { type PeerId, utf8Bytes } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import { Emitter } from '../events.ts'
import type { FileOffer, OfferOptions, OutgoingOffer, Unsubscribe } from '../face.ts'
import { encodePayload } from './content.ts'
import { IncomingOffer } from './offer-in.ts'
import { OutgoingFile } from './offer-out.ts'
import { type Announcement, decodeChunk, OFFER_LIMITS, type OfferMessage, parseOfferMessage } from './offer-wire.ts'
import { Outbox, type PortMessage, type ReliablePort } from './port.ts'
import { receivers } from './receivers.ts'

export interface OffersPort {
  readonly clock: Clock
  /** Both are listened to from the start, so nothing waits in them unread. */
  readonly control: ReliablePort
  readonly data: ReliablePort
  /** Everyone else here now: whom a message to all is addressed to. */
  members(): Iterable<PeerId>
  /** Of a channel that is signed here, a message to the room: somebody may have made it up. True: refused. */
  refuses?(from: PeerId, channel: string): boolean
}

interface Incoming {
  readonly channel: string
  /** To the room, and not to us alone. */
  readonly toRoom: boolean
  readonly offer: IncomingOffer
  /** Whether a handler was called with it. */
  heard: boolean
}

/** All offers of a room, over all its channels. */
export class Offers {
  readonly #port: OffersPort
  readonly #controlOutbox: Outbox
  readonly #dataOutbox: Outbox
  readonly #outgoing = new Map<number, OutgoingFile>()
  readonly #incoming = new Map<PeerId, Map<number, Incoming>>()
  readonly #emitter = new Emitter<Record<string, FileOffer>>()
  readonly #unsubscribe: readonly Unsubscribe[]
  #lastNumber = 0

  constructor(port: OffersPort) {
    this.#port = port
    this.#controlOutbox = new Outbox(port.clock, port.control)
    this.#dataOutbox = new Outbox(port.clock, port.data)
    this.#unsubscribe = [
      port.control.onMessage((message) => this.#receive(message)),
      port.data.onMessage(({ from, data }) => this.#receiveChunk(from, data)),
      port.control.onLeave((peer) => this.#end(peer, 'left', 'The sender left')),
    ]
  }

  /** @throws PartylineError `bad-argument`, `too-large`, `queue-full`, `aborted`, `closed` */
  offer(channel: string, data: Blob, { to, name, meta = null, onProgress, signal }: OfferOptions = {}): OutgoingOffer {
    if (!(data instanceof Blob)) throw new PartylineError('bad-argument', 'data: expected a Blob or a File')
    if (signal?.aborted) throw new PartylineError('aborted', 'The offer was aborted', { cause: signal.reason })
    if (this.#outgoing.size >= OFFER_LIMITS.open) {
      throw new PartylineError('queue-full', `${OFFER_LIMITS.open} offers are open: withdraw some`)
    }
    const fileName = name ?? (data as Partial<File>).name ?? 'file'
    if (typeof fileName !== 'string' || utf8Bytes(fileName) > OFFER_LIMITS.nameBytes) {
      throw new PartylineError('bad-argument', `name: a string of at most ${OFFER_LIMITS.nameBytes} bytes`)
    }
    // Checked as an array of one, whose brackets are two bytes.
    encodePayload([meta], OFFER_LIMITS.metaBytes + 2)
    const addressed = receivers(to)
    do this.#lastNumber = (this.#lastNumber + 1) >>> 0
    while (this.#outgoing.has(this.#lastNumber))
    const n = this.#lastNumber
    const type = utf8Bytes(data.type) > OFFER_LIMITS.typeBytes ? '' : data.type
    const message = { t: 'offer', n, channel, name: fileName, type, sizeBytes: data.size, meta }
    const here = [...(addressed ?? this.#port.members())]
    const announcement = this.#port.control.send(message, addressed)
    const withdraw = (): void => file.withdraw()
    const file = new OutgoingFile(
      {
        tell: (peers, told) => this.#controlOutbox.tell(told, peers),
        sendChunk: (peer, chunk) => this.#dataOutbox.post(chunk, peer),
        over: () => {
          this.#outgoing.delete(n)
          signal?.removeEventListener('abort', withdraw)
        },
      },
      n,
      data,
      here,
      announcement,
      onProgress,
    )
    if (!file.isOver) {
      this.#outgoing.set(n, file)
      signal?.addEventListener('abort', withdraw)
    }
    return file
  }

  /** The first handler of a channel also gets the open offers that came before it, in a microtask. */
  on(channel: string, handler: (offer: FileOffer) => void): Unsubscribe {
    if (this.#emitter.count(channel) === 0) {
      queueMicrotask(() => {
        for (const offers of this.#incoming.values())
          for (const incoming of [...offers.values()]) this.#hear(incoming, channel)
      })
    }
    return this.#emitter.on(channel, handler)
  }

  /** The room is over. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#controlOutbox.close()
    this.#dataOutbox.close()
    for (const peer of [...this.#incoming.keys()]) this.#end(peer, 'closed', 'The room is closed')
    for (const file of [...this.#outgoing.values()]) file.close()
  }

  #hear(incoming: Incoming, channel: string): void {
    if (incoming.heard || incoming.channel !== channel || this.#emitter.count(channel) === 0) return
    incoming.heard = true
    if (incoming.toRoom && this.#port.refuses?.(incoming.offer.from, channel)) {
      incoming.offer.decline()
      return
    }
    this.#emitter.emit(channel, incoming.offer)
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
