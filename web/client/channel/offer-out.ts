import type { PeerId } from '../../../signaling/protocol/index.ts'
import { reportError } from '../events.ts'
import type { MissedReason, Sent, TransferProgress } from '../face.ts'
import { CHUNK_BYTES, encodeChunk, type OfferMessage } from './offer-wire.ts'

/** Read at a time from the file: some chunks, because each reading is a round trip to the disk or another process. */
const READ_BYTES = 4 * CHUNK_BYTES

export interface OutgoingPort {
  tell(to: PeerId | readonly PeerId[], message: OfferMessage): void
  /** Resolves once it is sent; `undefined` when it cannot be. */
  sendChunk(to: PeerId, chunk: Uint8Array): Promise<Sent | undefined>
  /** Nobody may accept it any more, and nothing is under way. */
  over(): void
}

export type TransferState = 'running' | 'done' | 'failed' | 'declined'

/** A file that was announced. */
export interface Offered {
  readonly n: number
  readonly data: Blob
  /** Whom it was announced to. */
  readonly to: readonly PeerId[]
  readonly announcement: Sent
  /** Shown to the application. */
  readonly transfers: Map<PeerId, TransferState>
  readonly onProgress: ((progress: TransferProgress) => void) | undefined
}

interface Transfer {
  readonly windowBytes: number
  sent: number
  taken: number
  wake: (() => void) | undefined
}

/** A file this member offers, and its transfers. */
export class OutgoingFile {
  readonly transfers: Map<PeerId, TransferState>
  readonly #n: number
  readonly #data: Blob
  readonly #port: OutgoingPort
  readonly #onProgress: ((progress: TransferProgress) => void) | undefined
  /** Addressed, and neither finished nor gone. */
  readonly #open: Set<PeerId>
  readonly #running = new Map<PeerId, Transfer>()

  constructor(port: OutgoingPort, { n, data, to, announcement, transfers, onProgress }: Offered) {
    this.transfers = transfers
    this.#n = n
    this.#data = data
    this.#port = port
    this.#onProgress = onProgress
    this.#open = new Set(to)
    this.#watch(announcement)
    // Who was here for us, but not for the message, has no offer to accept.
    void announcement.delivered.then((outcome) => {
      for (const peer of [...this.#open]) if (!outcome.to.includes(peer)) this.left(peer)
    })
  }

  get isOver(): boolean {
    return this.#open.size === 0
  }

  withdraw(): void {
    if (this.isOver) return
    this.#port.tell([...this.#open], { t: 'withdraw', n: this.#n })
    this.close()
  }

  /** Everything ends, and nobody is told. */
  close(): void {
    for (const peer of [...this.#open]) this.left(peer)
  }

  /** `undefined`: it is gone without having started. */
  #end(peer: PeerId, state: TransferState | undefined): void {
    if (!this.#open.delete(peer)) return
    if (state !== undefined) this.transfers.set(peer, state)
    const transfer = this.#running.get(peer)
    this.#running.delete(peer)
    transfer?.wake?.()
    if (this.isOver) this.#port.over()
  }

  /** Nothing can be sent to this member any more. */
  left(peer: PeerId): void {
    this.#end(peer, this.#running.has(peer) ? 'failed' : undefined)
  }

  /** The transfer to this member cannot go on, and it is told. */
  fail(peer: PeerId, unreadable = false): void {
    if (!this.#open.has(peer)) return
    this.#port.tell(peer, { t: 'withdraw', n: this.#n, unreadable })
    this.left(peer)
  }

  declined(peer: PeerId): void {
    this.#end(peer, this.#running.has(peer) ? 'failed' : 'declined')
  }

  accepted(peer: PeerId, windowBytes: number): void {
    if (this.#running.has(peer)) return
    if (!this.#open.has(peer)) {
      // Over, or never meant for this member.
      this.#port.tell(peer, { t: 'withdraw', n: this.#n })
      return
    }
    const transfer: Transfer = { windowBytes, sent: 0, taken: 0, wake: undefined }
    this.#running.set(peer, transfer)
    this.transfers.set(peer, 'running')
    if (this.#data.size === 0) this.progressed(peer, 0)
    else void this.#run(peer, transfer)
  }

  /** The reader of this member has taken so much. */
  progressed(peer: PeerId, bytes: number): void {
    const transfer = this.#running.get(peer)
    if (transfer === undefined) return
    if (bytes > transfer.sent) {
      this.fail(peer)
      return
    }
    // One that was sent again, after a newer one.
    if (bytes < transfer.taken) return
    transfer.taken = bytes
    const totalBytes = this.#data.size
    if (bytes === totalBytes) this.#end(peer, 'done')
    else transfer.wake?.()
    try {
      this.#onProgress?.({ peer, bytes, totalBytes })
    } catch (error) {
      reportError(error)
    }
  }

  /** Never rejects. */
  async #run(peer: PeerId, transfer: Transfer): Promise<void> {
    try {
      while (transfer.sent < this.#data.size && this.#running.get(peer) === transfer) {
        const end = grantedEnd(transfer, this.#data.size)
        if (end > transfer.sent) await this.#send(peer, transfer, end)
        else await new Promise<void>((resolve) => (transfer.wake = resolve))
      }
    } catch {
      // Reading failed: the file was changed, moved or deleted; or the room closed.
      if (this.#running.get(peer) === transfer) this.fail(peer, true)
    }
  }

  /** Read the file up to `end` and send it, as fast as the window to this member takes it. */
  async #send(peer: PeerId, transfer: Transfer, end: number): Promise<void> {
    const start = transfer.sent
    const bytes = new Uint8Array(await this.#data.slice(start, end).arrayBuffer())
    if (bytes.length !== end - start) throw new Error('The file has become shorter')
    for (let at = 0; at < bytes.length && this.#running.get(peer) === transfer; at += CHUNK_BYTES) {
      const body = bytes.subarray(at, at + CHUNK_BYTES)
      const index = (transfer.sent / CHUNK_BYTES) >>> 0
      transfer.sent += body.length
      const sent = await this.#port.sendChunk(peer, encodeChunk(this.#n, index, body))
      if (sent === undefined) throw new Error('The room is closed')
      this.#watch(sent)
      await sent.accepted
    }
  }

  /** What was not delivered leaves a hole that nothing fills: such a transfer is over. */
  #watch({ delivered }: Sent): void {
    void delivered.then(({ missed }: { readonly missed: ReadonlyMap<PeerId, MissedReason> }) => {
      for (const peer of missed.keys()) this.fail(peer)
    })
  }
}

/** How far to read and send now: whole chunks, as far as the receiver has granted; the rest of the file when that is less. */
function grantedEnd({ sent, taken, windowBytes }: Transfer, size: number): number {
  const granted = taken + windowBytes
  const end = Math.min(size, sent + READ_BYTES)
  return end <= granted ? end : sent + Math.max(0, Math.floor((granted - sent) / CHUNK_BYTES)) * CHUNK_BYTES
}
