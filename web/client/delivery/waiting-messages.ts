import { type Lane, LIMITS, type PeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

/**
 * How many messages that must wait are looked past, for one of another channel that need not: as many as can wait for
 * bulk, so that no chat line waits behind them.
 */
const MOST_BLOCKED = LIMITS.queuedBytes / LIMITS.fragmentBytes

/** What was sent and is not accepted yet: bounded, and in order within a channel to one audience. */
export class WaitingMessages {
  /** By audience (`undefined`: the room), so that nobody's messages wait behind another's. */
  readonly #waiting = new Map<PeerId | undefined, OutgoingMessage[]>()
  #messages = 0
  #bytes = 0
  #closed = false

  /** `takeIn`: accepts the message if its stream takes it now. */
  constructor(private readonly takeIn: (message: OutgoingMessage, to: PeerId | undefined) => boolean) {}

  get bytes(): number {
    return this.#bytes
  }

  get none(): boolean {
    return this.#waiting.size === 0
  }

  /** @throws PartylineError `queue-full`, `closed` */
  ensureRoom(bytes: number, messages: number): void {
    if (this.#closed) throw new PartylineError('closed', 'The room is closed')
    if (
      this.#messages + messages > LIMITS.queuedMessages ||
      (this.#bytes > 0 && this.#bytes + bytes > LIMITS.queuedBytes)
    ) {
      throw new PartylineError('queue-full', 'Too much waits to be sent: await `accepted` between sends')
    }
  }

  /** Whether anything waits for this audience. */
  has(to: PeerId | undefined): boolean {
    return this.#waiting.has(to)
  }

  /** The oldest message of this channel that waits for the room. */
  first(channel: number): OutgoingMessage | undefined {
    return this.#waiting.get(undefined)?.find((message) => message.channel === channel)
  }

  add(message: OutgoingMessage, to: PeerId | undefined): void {
    const waiting = this.#waiting.get(to)
    if (waiting === undefined) this.#waiting.set(to, [message])
    else waiting.push(message)
    this.#messages += 1
    this.#bytes += message.body.length
  }

  /**
   * Give up one of them, `to` one member or the room; false when it is too late. Its place in the order is spoken for: it
   * goes out empty.
   */
  abort(message: OutgoingMessage, to?: PeerId, code?: PartylineErrorCode): boolean {
    const bytes = message.body.length
    if (!message.refuse(to, 'aborted', code)) return false
    this.#bytes -= bytes
    return true
  }

  /** Nothing goes to this audience any more. */
  drop(to: PeerId | undefined, reason: 'left' | 'closed'): void {
    for (const message of this.#waiting.get(to) ?? []) {
      this.#leaves(message.body.length)
      message.refuse(to, reason)
    }
    this.#waiting.delete(to)
  }

  /** Nothing more is sent. */
  close(): void {
    this.#closed = true
    for (const to of [...this.#waiting.keys()]) this.drop(to, 'closed')
  }

  #leaves(bytes: number): void {
    this.#messages -= 1
    this.#bytes -= bytes
  }

  /** Let go what is taken in, of all audiences. Returns whether any was. */
  releaseAll(): boolean {
    let released = false
    for (const to of [...this.#waiting.keys()]) if (this.release(to)) released = true
    return released
  }

  /** The same for one audience. */
  release(to: PeerId | undefined): boolean {
    const waiting = this.#waiting.get(to) ?? []
    const kept: OutgoingMessage[] = []
    const blocked = new Set<Lane | number>()
    let looked = 0
    for (const message of waiting) {
      if (kept.length >= MOST_BLOCKED || (blocked.has('small') && blocked.has('bulk'))) break
      looked += 1
      const { lane, channel, late, body } = message
      const bytes = body.length
      if (!late && !blocked.has(lane) && !blocked.has(channel) && this.takeIn(message, to)) {
        this.#leaves(bytes)
        continue
      }
      if (!late) blocked.add(lane)
      blocked.add(channel)
      kept.push(message)
    }
    if (kept.length === looked) return false
    const left = [...kept, ...waiting.slice(looked)]
    if (left.length > 0) this.#waiting.set(to, left)
    else this.#waiting.delete(to)
    return true
  }
}
