import type { FileOffer } from 'partyline'
import type { FileState } from '../model/entry.ts'
import { readFileName } from '../model/file-name.ts'
import { isShownUnasked, readPictureSize } from '../model/pictures.ts'
import { codeOf, describeProblem } from '../model/problem.ts'
import { type ChooseTarget, collect, writeTo } from './file-target.ts'
import type { TimelineStore } from './timeline-store.ts'

/** Up to this size a file is gathered in memory and then saved by a link; a larger one is written to disk as it comes, bytes. */
export const IN_MEMORY_BYTES = 64_000_000
/** Progress is shown this often at most, bytes apart: a hundred steps, and no more than one for each 64 KiB. */
const stepBytes = (sizeBytes: number): number => Math.max(65_536, sizeBytes / 100)

export interface IncomingFilesDependencies {
  readonly timeline: TimelineStore
  /** Asks where to save; `undefined` where the browser has no such dialog. */
  readonly chooseTarget: ChooseTarget | undefined
}

/** Files that others offer: bytes move after our yes, or at once for small pictures. */
export class IncomingFiles {
  readonly #dependencies: IncomingFilesDependencies
  readonly #offers = new Map<string, FileOffer>()
  readonly #running = new Map<string, AbortController>()
  #unaskedBytes = 0

  constructor(dependencies: IncomingFilesDependencies) {
    this.#dependencies = dependencies
  }

  offered(offer: FileOffer): void {
    const { timeline } = this.#dependencies
    const key = timeline.newKey()
    const picture = readPictureSize(offer.meta)
    this.#offers.set(key, offer)
    timeline.add({
      kind: 'file',
      key,
      atMs: offer.sentAtMs,
      from: offer.from,
      own: false,
      name: readFileName(offer.name),
      type: offer.type,
      sizeBytes: offer.sizeBytes,
      ...(picture === undefined ? {} : { picture }),
      state: { at: 'offered' },
    })
    offer.withdrawn.addEventListener('abort', () => this.#withdrawn(key), { once: true })
    if (isShownUnasked(offer, this.#unaskedBytes)) {
      this.#unaskedBytes += offer.sizeBytes
      void this.#receive(key, offer, undefined)
    }
  }

  /** Called from a click, which the save dialog of the browser asks for. */
  async accept(key: string): Promise<void> {
    const offer = this.#offers.get(key)
    if (offer === undefined) return
    const { chooseTarget } = this.#dependencies
    if (chooseTarget === undefined || offer.sizeBytes <= IN_MEMORY_BYTES) return this.#receive(key, offer, undefined)
    const target = await chooseTarget(readFileName(offer.name))
    if (target !== undefined) await this.#receive(key, offer, target)
  }

  decline(key: string): void {
    this.#offers.get(key)?.decline()
    this.#offers.delete(key)
    this.#show(key, { at: 'declined' })
  }

  /** Stops a transfer that runs. */
  cancel(key: string): void {
    this.#running.get(key)?.abort()
  }

  async #receive(key: string, offer: FileOffer, target: FileSystemWritableFileStream | undefined): Promise<void> {
    const abort = new AbortController()
    let shown = 0
    this.#offers.delete(key)
    this.#running.set(key, abort)
    this.#show(key, { at: 'receiving', bytes: 0 })
    const took = (bytes: number): void => {
      if (bytes - shown < stepBytes(offer.sizeBytes)) return
      shown = bytes
      this.#show(key, { at: 'receiving', bytes })
    }
    try {
      const stream = offer.accept({ signal: abort.signal })
      if (target === undefined) {
        this.#show(key, { at: 'received', content: await collect(stream, offer.type, took) })
      } else {
        await writeTo(target, stream, took, abort.signal)
        this.#show(key, { at: 'saved' })
      }
    } catch (error) {
      this.#show(key, stateAfter(error))
    } finally {
      this.#running.delete(key)
    }
  }

  #withdrawn(key: string): void {
    // A running transfer ends through its stream, which says why.
    if (this.#offers.delete(key)) this.#show(key, { at: 'withdrawn' })
  }

  #show(key: string, state: FileState): void {
    this.#dependencies.timeline.change(key, (entry) => (entry.kind === 'file' ? { ...entry, state } : entry))
  }
}

function stateAfter(error: unknown): FileState {
  switch (codeOf(error)) {
    case 'withdrawn':
      return { at: 'withdrawn' }
    case 'aborted':
      return { at: 'failed', why: 'You stopped it.' }
    case 'left':
      return { at: 'failed', why: 'The sender left before all of it was here.' }
    default:
      return { at: 'failed', why: describeProblem(error) }
  }
}
