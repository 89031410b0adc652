import type { PeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'
import { Emitter } from '../events.ts'
import type {
  Channel,
  FileOffer,
  MailedSent,
  Message,
  OfferOptions,
  OutgoingOffer,
  Payload,
  SendOptions,
  Sent,
  StoredSent,
  Unsubscribe,
} from '../face.ts'
import { receivers } from './receivers.ts'

/** What a reliable channel stands on. */
export interface ChannelPort {
  send(data: unknown, to: readonly PeerId[] | undefined, options: SendOptions): Sent
  /** Messages are taken (again): hand on what waits. */
  drain(): void
  offer(data: Blob, options: OfferOptions | undefined): OutgoingOffer
  onOffer(handler: (offer: FileOffer) => void): Unsubscribe
}

export class ReliableChannel<T extends Payload> implements Channel<T> {
  readonly #emitter = new Emitter<{ message: Message<T> }>()
  readonly #readers = new Set<Reader<T>>()
  #closed = false

  constructor(
    readonly name: string,
    private readonly port: ChannelPort,
    readonly signed = false,
  ) {}

  send(data: T, options: SendOptions & { readonly store: true }): StoredSent
  send(data: T, options: SendOptions & { readonly user: string }): MailedSent
  send(data: T, options?: SendOptions): Sent
  send(data: T, options: SendOptions = {}): Sent {
    return this.port.send(data, receivers(options.to), options)
  }

  on(name: 'message', handler: (message: Message<T>) => void): Unsubscribe
  on(name: 'offer', handler: (offer: FileOffer) => void): Unsubscribe
  on(
    ...[name, handler]: ['message', (message: Message<T>) => void] | ['offer', (offer: FileOffer) => void]
  ): Unsubscribe {
    if (name === 'offer') return this.port.onOffer(handler)
    if (name !== 'message')
      throw new PartylineError('bad-argument', `on: expected message or offer, got ${String(name)}`)
    const first = this.#emitter.count('message') === 0
    const unsubscribe = this.#emitter.on('message', handler)
    // After this turn, so that handlers attached together miss nothing.
    if (first) queueMicrotask(() => this.port.drain())
    return unsubscribe
  }

  offer(data: Blob, options?: OfferOptions): OutgoingOffer {
    return this.port.offer(data, options)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message<T>> {
    const reader = new Reader<T>(
      () => this.port.drain(),
      () => this.#readers.delete(reader),
    )
    if (this.#closed) reader.end()
    else this.#readers.add(reader)
    return reader
  }

  /** A message has its turn. False: nobody takes it now. */
  take(message: Message<T>): boolean {
    if (this.#emitter.count('message') === 0 && this.#readers.size === 0) return false
    for (const reader of this.#readers) if (!reader.free) return false
    for (const reader of this.#readers) reader.give(message)
    this.#emitter.emit('message', message)
    return true
  }

  close(): void {
    this.#closed = true
    for (const reader of [...this.#readers]) reader.end()
    this.#emitter.clear()
  }
}

/** One `for await` over a channel: takes one message ahead, so that a slow one holds the senders back. */
class Reader<T> implements AsyncIterableIterator<Message<T>> {
  #ahead: Message<T> | undefined
  readonly #asking: ((result: IteratorResult<Message<T>>) => void)[] = []
  #ended = false

  constructor(
    private readonly more: () => void,
    private readonly gone: () => void,
  ) {}

  get free(): boolean {
    return this.#ahead === undefined
  }

  give(message: Message<T>): void {
    const asking = this.#asking.shift()
    if (asking === undefined) this.#ahead = message
    else asking({ done: false, value: message })
  }

  next(): Promise<IteratorResult<Message<T>>> {
    const ahead = this.#ahead
    if (ahead !== undefined) {
      this.#ahead = undefined
      queueMicrotask(this.more)
      return Promise.resolve({ done: false, value: ahead })
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => {
      this.#asking.push(resolve)
      queueMicrotask(this.more)
    })
  }

  return(): Promise<IteratorResult<Message<T>>> {
    this.#ahead = undefined
    this.end()
    queueMicrotask(this.more)
    return Promise.resolve({ done: true, value: undefined })
  }

  end(): void {
    this.#ended = true
    this.gone()
    for (const asking of this.#asking.splice(0)) asking({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
