/**
 * Files and other bytes, offered to members and moved only to those who accept. Here is what has to be done at once, in
 * the application's turn: checking, numbering and announcing. The rest is loaded when it is first needed.
 */
import { type PeerId, utf8Bytes } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import { Emitter } from '../events.ts'
import type { FileOffer, OfferOptions, OutgoingOffer, Unsubscribe } from '../face.ts'
import { Later } from '../later.ts'
import { encodePayload } from './content.ts'
import { OFFER_LIMITS } from './offer-limits.ts'
import type { TransferState } from './offer-out.ts'
import { Outbox, type ReliablePort } from './port.ts'
import { receivers } from './receivers.ts'
import type { Transfers } from './transfers.ts'

/** Loading fails where the network is gone, and works when it is back: it is tried again, at doubling intervals. */
const RETRY_MS = 1_000
const RETRY_MOST_MS = 32_000

export interface OffersPort {
  readonly clock: Clock
  /** What comes in both waits until the code that reads it is loaded. */
  readonly control: ReliablePort
  readonly data: ReliablePort
  /** Everyone else here now: whom a message to all is addressed to. */
  members(): Iterable<PeerId>
  /** Of a channel that is signed here, a message to the room: somebody may have made it up. True: refused. */
  refuses?(from: PeerId, channel: string): boolean
  /** Default: its own file. */
  readonly load?: (() => Promise<typeof Transfers>) | undefined
}

const ownFile = (): Promise<typeof Transfers> => import('./transfers.ts').then(({ Transfers }) => Transfers)

/** All offers of a room, over all its channels. */
export class Offers {
  readonly #port: OffersPort
  readonly #emitter = new Emitter<Record<string, FileOffer>>()
  /** Offers of ours that are neither withdrawn, nor over with everyone addressed, and what ends with each. */
  readonly #open = new Map<number, () => void>()
  readonly #transfers: Later<Transfers>
  readonly #outbox: Outbox
  readonly #unsubscribe: Unsubscribe[]
  #retry: TimerHandle | undefined
  #lastNumber = 0
  #closed = false

  constructor(port: OffersPort) {
    this.#port = port
    this.#outbox = new Outbox(port.clock, port.control)
    this.#transfers = new Later(() => this.#load())
    const load = (): void => this.#do(() => undefined)
    this.#unsubscribe = [
      port.control.onWaiting(load),
      port.data.onWaiting(load),
      port.control.onLeave((peer) => {
        if (this.#transfers.asked) this.#do((transfers) => transfers.left(peer))
      }),
    ]
  }

  /** @throws PartylineError `bad-argument`, `too-large`, `queue-full`, `aborted`, `closed` */
  offer(channel: string, data: Blob, { to, name, meta = null, onProgress, signal }: OfferOptions = {}): OutgoingOffer {
    if (!(data instanceof Blob)) throw new PartylineError('bad-argument', 'data: expected a Blob or a File')
    if (signal?.aborted) throw new PartylineError('aborted', 'The offer was aborted', { cause: signal.reason })
    if (this.#open.size >= OFFER_LIMITS.open) {
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
    while (this.#open.has(this.#lastNumber))
    const n = this.#lastNumber
    const type = utf8Bytes(data.type) > OFFER_LIMITS.typeBytes ? '' : data.type
    const message = { t: 'offer', n, channel, name: fileName, type, sizeBytes: data.size, meta }
    const here = [...(addressed ?? this.#port.members())]
    const announcement = this.#port.control.send(message, addressed)
    const transfers = new Map<PeerId, TransferState>()
    const withdraw = (): void => {
      if (!this.#open.has(n)) return
      this.#over(n)
      if (!this.#transfers.here?.withdraw(n)) this.#outbox.tell({ t: 'withdraw', n }, here)
    }
    if (here.length > 0) {
      this.#open.set(n, () => signal?.removeEventListener('abort', withdraw))
      signal?.addEventListener('abort', withdraw)
      this.#do((files) => {
        if (this.#open.has(n)) files.offered({ n, data, to: here, announcement, transfers, onProgress })
      })
    }
    return { id: announcement.id, transfers, withdraw }
  }

  /** The first handler of a channel also gets the open offers that came before it, in a microtask. */
  on(channel: string, handler: (offer: FileOffer) => void): Unsubscribe {
    if (this.#emitter.count(channel) === 0) {
      queueMicrotask(() => this.#do((transfers) => transfers.hearAll(channel)))
    }
    return this.#emitter.on(channel, handler)
  }

  /** The room is over. */
  close(): void {
    this.#closed = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    if (this.#retry !== undefined) this.#port.clock.clearTimeout(this.#retry)
    this.#outbox.close()
    this.#transfers.here?.close()
    for (const n of [...this.#open.keys()]) this.#over(n)
  }

  #over(n: number): void {
    this.#open.get(n)?.()
    this.#open.delete(n)
  }

  #do(what: (transfers: Transfers) => void): void {
    // What members say is heard after all that was asked meanwhile: they may have accepted what was offered.
    if (!this.#transfers.asked) {
      this.#transfers.do((transfers) => queueMicrotask(() => this.#closed || transfers.listen()))
    }
    this.#transfers.do(what)
  }

  async #load(): Promise<Transfers | undefined> {
    const { clock, load = ownFile } = this.#port
    for (let afterMs = RETRY_MS; !this.#closed; afterMs = Math.min(2 * afterMs, RETRY_MOST_MS)) {
      const Loaded = await load().catch(() => undefined)
      if (this.#closed) break
      if (Loaded !== undefined) {
        return new Loaded({ ...this.#port, outbox: this.#outbox, emitter: this.#emitter, over: (n) => this.#over(n) })
      }
      await new Promise<void>((resolve) => {
        this.#retry = clock.setTimeout(resolve, afterMs)
      })
    }
    return undefined
  }
}
