import { LIMITS, type PeerId } from '../../../signaling/protocol/index.ts'
import type { Cursor } from './cursor.ts'
import type { LinkSender } from './link-sender.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { distance } from './serial.ts'

/**
 * Accepted is what the best receiver's path takes now, and so much more that it never runs dry: 0.1 s at 2.5 MB/s. A
 * longer queue would be in the way of what comes after it, and would be no back-pressure.
 */
const UNSENT_BYTES = 262_144

/** Whether another message is accepted for whoever is here in the stream. */
export const hasRoom = ({ unsentBytes, lagBytes }: Cursor): boolean =>
  unsentBytes < UNSENT_BYTES && lagBytes < LIMITS.unacknowledgedBytes

/**
 * One of the room's two streams, and how far everyone has come in it. The sender goes at the pace of the most up-to-date
 * member, nobody waits for the slowest; but what the slowest lacks is kept, until it is far behind.
 *
 * Of the members that have acknowledged nothing beyond the stream's base one is remembered; until that one moves, nothing can be trimmed, and an acknowledgement of any
 * other costs a comparison. When it moves the next is looked for, and since nobody falls back to the base, each member
 * is looked at twice for each move of the base, not for each acknowledgement.
 */
export class RoomStream {
  readonly stream: OutgoingStream
  #slowest: LinkSender | undefined
  #unseen: Iterator<LinkSender> | undefined

  constructor(
    private readonly index: 0 | 1,
    firstSeq: number,
    private readonly senders: ReadonlyMap<PeerId, LinkSender>,
  ) {
    this.stream = new OutgoingStream(index, firstSeq)
  }

  /** Whether another message may be accepted. */
  get hasRoom(): boolean {
    if (this.stream.retainedBytes >= LIMITS.retainedBytes) return false
    if (this.senders.size === 0) return true
    for (const { cursors } of this.senders.values()) if (hasRoom(cursors[this.index])) return true
    return false
  }

  /** Members that are much further behind than the best one. */
  lagging(): LinkSender[] {
    if (this.stream.retainedBytes < LIMITS.lagBytes) return []
    const senders = [...this.senders.values()]
    const leaderBytes = Math.min(...senders.map(({ cursors }) => cursors[this.index].lagBytes))
    return senders.filter(({ cursors }) => cursors[this.index].lagBytes - leaderBytes > LIMITS.lagBytes)
  }

  /** This one may have acknowledged more. */
  moved(sender: LinkSender): void {
    if (this.#slowest !== undefined && this.#slowest !== sender) return
    this.#slowest = this.#nextAtBase()
    if (this.#slowest === undefined) this.trim()
  }

  #nextAtBase(): LinkSender | undefined {
    for (let next = this.#unseen?.next(); next?.done === false; next = this.#unseen?.next()) {
      if (next.value.cursors[this.index].acked === this.stream.base) return next.value
    }
    return undefined
  }

  /** Anyone may have moved, come or gone: forget what everyone has. */
  trim(): void {
    const { stream, index, senders } = this
    let seq = stream.next
    let position = stream.messageCount
    for (const sender of senders.values()) {
      const cursor = sender.cursors[index]
      if (distance(stream.base, cursor.acked) < distance(stream.base, seq)) seq = cursor.acked
      position = Math.min(position, cursor.messagePosition)
    }
    stream.trim(seq, position)
    this.#unseen = senders.values()
    this.#slowest = this.#nextAtBase()
  }
}
