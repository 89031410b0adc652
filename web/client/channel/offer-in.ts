import type { Json, PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import { reportError } from '../events.ts'
import type { FileOffer, TransferProgress } from '../face.ts'
import { OFFER_LIMITS } from './offer-limits.ts'
import { type Announcement, CHUNK_BYTES, type Chunk, type OfferMessage } from './offer-wire.ts'

/** How often the sender hears what the reader has taken: after so many bytes, or so long; far within the window. */
const TELL_BYTES = 262_144
const TELL_MS = 200

export interface IncomingPort {
  readonly clock: Clock
  /** To the offerer, about this offer. */
  tell(message: OfferMessage): void
  /** Nothing more is expected from the offerer. */
  over(): void
}

type AcceptOptions = Parameters<FileOffer['accept']>[0]

/**
 * `open`, then either `over` (declined, withdrawn, …) or, accepted, `running`; then `over` when the reader has taken
 * everything, or it failed.
 */
type State = 'open' | 'running' | 'over'

/** A file somebody offers, and its transfer to us. */
export class IncomingOffer implements FileOffer {
  readonly from: PeerId
  readonly id: string
  readonly name: string
  readonly type: string
  readonly sizeBytes: number
  readonly meta: Json
  readonly sentAtMs: number
  readonly #n: number
  readonly #port: IncomingPort
  readonly #withdrawn = new AbortController()
  #state: State = 'open'
  #accepted = false
  /** Why it is over without having been accepted. */
  #error: PartylineError | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #onProgress: ((progress: TransferProgress) => void) | undefined
  #unlisten: (() => void) | undefined
  /** Received and not yet taken by the reader: at most the window. */
  #chunks: Uint8Array[] = []
  /** Set while the reader waits for a chunk. */
  #wake: (() => void) | undefined
  #chunkCount = 0
  #received = 0
  #taken = 0
  #told = 0
  #toldAtMs = 0

  constructor(port: IncomingPort, from: PeerId, id: string, sentAtMs: number, announcement: Announcement) {
    this.#port = port
    this.from = from
    this.id = id
    this.sentAtMs = sentAtMs
    this.#n = announcement.n
    this.name = announcement.name
    this.type = announcement.type
    this.sizeBytes = announcement.sizeBytes
    this.meta = announcement.meta
  }

  get withdrawn(): AbortSignal {
    return this.#withdrawn.signal
  }

  /** @throws PartylineError `bad-argument` when accepted before, `declined` after `decline()` */
  accept({ onProgress, signal }: AcceptOptions = {}): ReadableStream<Uint8Array> {
    if (this.#accepted) throw new PartylineError('bad-argument', 'This offer is accepted already')
    if (this.#error?.code === 'declined') throw this.#error
    this.#accepted = true
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#stop(new PartylineError('aborted', 'The reader cancelled')),
      },
      // Pulled only by a waiting reader, so that what the stream is given is what the reader has taken.
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    )
    if (this.#error !== undefined) {
      this.#controller?.error(this.#error)
      return stream
    }
    this.#state = 'running'
    this.#onProgress = onProgress
    const onAbort = (): void =>
      this.#stop(new PartylineError('aborted', 'The transfer was aborted', { cause: signal?.reason }))
    if (signal?.aborted) {
      onAbort()
      return stream
    }
    signal?.addEventListener('abort', onAbort)
    this.#unlisten = () => signal?.removeEventListener('abort', onAbort)
    this.#toldAtMs = this.#port.clock.now()
    this.#port.tell({ t: 'accept', n: this.#n, windowBytes: OFFER_LIMITS.windowBytes })
    if (this.sizeBytes === 0) this.#progress()
    return stream
  }

  decline(): void {
    if (this.#state === 'open') this.#stop(new PartylineError('declined', 'This offer was declined'))
  }

  /** The next bytes, from the offerer. Breaking the rules ends the transfer with `protocol`. */
  take({ index, bytes }: Chunk): void {
    if (this.#state !== 'running') return
    const received = this.#received + bytes.length
    if (
      index !== this.#chunkCount >>> 0 ||
      bytes.length !== Math.min(CHUNK_BYTES, this.sizeBytes - this.#received) ||
      bytes.length === 0 ||
      received - this.#taken > OFFER_LIMITS.windowBytes
    ) {
      this.#stop(new PartylineError('protocol', 'The sender sent something else than was due'))
      return
    }
    this.#received = received
    this.#chunkCount += 1
    this.#chunks.push(bytes)
    this.#wake?.()
  }

  /** The offer ends from outside. A file whose last byte is here can still be read. */
  end(error: PartylineError): void {
    if (this.#state === 'open' || this.#received < this.sizeBytes) this.#fail(error)
  }

  /** It ends from here: the offerer is told. */
  #stop(error: PartylineError): void {
    if (this.#state === 'over') return
    this.#port.tell({ t: 'decline', n: this.#n })
    this.#fail(error)
  }

  #fail(error: PartylineError): void {
    if (this.#state === 'over') return
    this.#error = error
    this.#controller?.error(error)
    this.#withdrawn.abort(error)
    this.#over()
  }

  #over(): void {
    this.#state = 'over'
    this.#chunks = []
    this.#unlisten?.()
    this.#wake?.()
    this.#port.over()
  }

  async #pull(): Promise<void> {
    if (this.#chunks.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return
    this.#taken += chunk.length
    this.#controller?.enqueue(chunk)
    this.#progress()
  }

  #progress(): void {
    const bytes = this.#taken
    const done = bytes === this.sizeBytes
    const nowMs = this.#port.clock.now()
    if (done || bytes - this.#told >= TELL_BYTES || nowMs - this.#toldAtMs >= TELL_MS) {
      this.#told = bytes
      this.#toldAtMs = nowMs
      this.#port.tell({ t: 'progress', n: this.#n, bytes })
    }
    if (done) {
      this.#controller?.close()
      this.#over()
    }
    try {
      this.#onProgress?.({ peer: this.from, bytes, totalBytes: this.sizeBytes })
    } catch (error) {
      reportError(error)
    }
  }
}
