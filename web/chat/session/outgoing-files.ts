import type { Channel, OutgoingOffer, PeerId } from 'partyline'
import type { FileEntry, Receiver } from '../model/entry.ts'
import type { ChatLine } from '../model/line.ts'
import { isPicture } from '../model/pictures.ts'
import { describeProblem } from '../model/problem.ts'
import type { TimelineStore } from './timeline-store.ts'

export interface OutgoingFilesDependencies {
  readonly channel: Channel<ChatLine>
  readonly timeline: TimelineStore
  /** On the room clock, ms since 1970. */
  readonly now: () => number
  readonly selfId: () => PeerId | undefined
  readonly nameOf: (peer: PeerId) => string
  readonly complain: (text: string) => void
  /** Width and height of a picture, if the browser can tell. */
  readonly measure: (picture: Blob) => Promise<{ readonly width: number; readonly height: number } | undefined>
}

/** Files that we offer: one entry each, showing how far every receiver is. */
export class OutgoingFiles {
  readonly #dependencies: OutgoingFilesDependencies
  readonly #offers = new Map<string, { readonly offer: OutgoingOffer; readonly bytes: Map<PeerId, number> }>()

  constructor(dependencies: OutgoingFilesDependencies) {
    this.#dependencies = dependencies
  }

  async offer(file: File): Promise<void> {
    const { channel, timeline, now, selfId, complain, measure } = this.#dependencies
    const picture = isPicture(file.type) ? await measure(file) : undefined
    const bytes = new Map<PeerId, number>()
    const key = timeline.newKey()
    const from = selfId()
    if (from === undefined) return complain(`${file.name} was not offered: the room is not open yet.`)
    try {
      const offer = channel.offer(file, {
        ...(picture === undefined ? {} : { meta: picture }),
        onProgress: (progress) => {
          bytes.set(progress.peer, progress.bytes)
          this.#show(key)
        },
      })
      this.#offers.set(key, { offer, bytes })
    } catch (error) {
      return complain(`${file.name} was not offered: ${describeProblem(error)}`)
    }
    timeline.add({
      kind: 'file',
      key,
      atMs: now(),
      from,
      own: true,
      name: file.name,
      type: file.type,
      sizeBytes: file.size,
      ...(picture === undefined ? {} : { picture }),
      ...(isPicture(file.type) ? { ownContent: file } : {}),
      state: { at: 'offering', receivers: [] },
    })
  }

  withdraw(key: string): void {
    this.#offers.get(key)?.offer.withdraw()
    this.#offers.delete(key)
    this.#dependencies.timeline.change(key, (entry) =>
      entry.kind === 'file' ? { ...entry, state: { at: 'withdrawn' } } : entry,
    )
  }

  /** Once a second: what ends without progress (declined, failed) is seen here. */
  tick(): void {
    for (const key of this.#offers.keys()) this.#show(key)
  }

  #show(key: string): void {
    const known = this.#offers.get(key)
    if (known === undefined) return
    const receivers = [...known.offer.transfers].map(([peer, state]) => ({
      peer,
      name: this.#dependencies.nameOf(peer),
      state,
      bytes: known.bytes.get(peer) ?? 0,
    }))
    this.#dependencies.timeline.change(key, (entry) => {
      if (entry.kind !== 'file' || entry.state.at !== 'offering') return entry
      return sameReceivers(entry.state.receivers, receivers) ? entry : withReceivers(entry, receivers)
    })
  }
}

const withReceivers = (entry: FileEntry, receivers: readonly Receiver[]): FileEntry => ({
  ...entry,
  state: { at: 'offering', receivers },
})

const sameReceivers = (before: readonly Receiver[], after: readonly Receiver[]): boolean =>
  before.length === after.length &&
  before.every((one, index) => {
    const other = after[index]
    return one.peer === other?.peer && one.state === other.state && one.bytes === other.bytes
  })
