import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { LinkSender } from './link-sender.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import { distance } from './serial.ts'

/**
 * Trims one of the room's streams to what the slowest member has. Of the members that have acknowledged nothing beyond
 * the stream's base one is remembered; until that one moves, nothing can be trimmed, and an acknowledgement of any
 * other costs a comparison. When it moves the next is looked for, and since nobody falls back to the base, each member
 * is looked at twice for each move of the base, not for each acknowledgement.
 */
export class StreamBase {
  #slowest: LinkSender | undefined
  #unseen: Iterator<LinkSender> | undefined

  constructor(
    private readonly stream: OutgoingStream,
    private readonly index: 0 | 1,
    private readonly senders: ReadonlyMap<PeerId, LinkSender>,
  ) {}

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
