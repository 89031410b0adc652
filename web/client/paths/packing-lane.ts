import { PackWriter, ShortForms } from '../../../signaling/protocol/index.ts'
import type { LaneBuffer } from './path.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What a lane needs of its RTCDataChannel. */
export interface LaneChannel {
  readonly bufferedAmount: number
  bufferedAmountLowThreshold: number
  send(bytes: Bytes): void
}

/** A bound that drains so quickly doubles: more than a busy page takes to hear of it. One that takes so long is halved. */
const QUICK_MS = 100
const SLOW_MS = 400

/** What fits into one packet of the network leaves at once: nothing has to wait behind it. */
const BUSY_BYTES = 1_200

/**
 * Sends frames by a data channel. While it has next to nothing to do, a frame goes at once, as it is. While it is busy,
 * small frames gather and go as one message when it has drained, or when there are enough of them: they would only have
 * waited in the channel, where each costs as much as a whole pack (measured on a pair: 47 µs a message of 100 bytes one
 * by one, 23 µs packed).
 */
export class PackingLane {
  readonly #pack: PackWriter
  #shortForms: ShortForms | undefined
  /** Bytes of messages handed to the channel. */
  #sentBytes = 0
  #refused = false
  #refusedAtMs = 0
  /** What may wait: some 0.1 to 0.8 s of what the way carries, from `leastBytes` to `boundBytes`. */
  #boundBytes: number

  constructor(
    private readonly channel: LaneChannel,
    private readonly buffer: LaneBuffer,
    private readonly now: () => number,
  ) {
    this.#pack = new PackWriter(buffer.packBytes)
    this.#boundBytes = buffer.leastBytes
    channel.bufferedAmountLowThreshold = this.#lowBytes
  }

  /** From now on, frames go in their short forms where they have one: the other side takes them. */
  shorten(): void {
    this.#shortForms ??= new ShortForms()
  }

  get #lowBytes(): number {
    return (this.buffer.lowBytes * this.#boundBytes) / this.buffer.boundBytes
  }

  /** A pack is a small part of what may wait, so that it is never what a full lane waits for, nor long on its way. */
  get #packBytes(): number {
    return (this.buffer.packBytes * this.#boundBytes) / this.buffer.boundBytes
  }

  /** Bytes taken that have not left. */
  get bufferedBytes(): number {
    return this.channel.bufferedAmount + this.#pack.length
  }

  /** Bytes taken so far. */
  get writtenBytes(): number {
    return this.#sentBytes + this.#pack.length
  }

  /** False: it is full, and `drained` will say when it is not. @throws what the channel does when it is closing */
  send(frame: Bytes): boolean {
    const pack = this.#pack
    if (this.bufferedBytes >= this.#boundBytes) {
      this.channel.bufferedAmountLowThreshold = this.#lowBytes
      if (!this.#refused) this.#refusedAtMs = this.now()
      // Outside browsers the channel drains beside us. What it has at the new threshold, it will tell of.
      this.#refused = this.bufferedBytes >= this.#boundBytes
      if (this.#refused) return false
    }
    if (pack.length > 0 || this.#busy()) {
      const limitBytes = this.#packBytes
      if (pack.add(frame, limitBytes)) return true
      this.#flush()
      if (2 * frame.length < limitBytes && pack.add(frame, limitBytes)) return true
    }
    const shortForms = this.#shortForms
    try {
      this.#send(shortForms?.shorten(frame) ?? frame)
    } catch (error) {
      shortForms?.forget()
      throw error
    }
    return true
  }

  /** Whether a frame that is packed now will be told of: the channel has enough in it, and will tell when it is empty. */
  #busy(): boolean {
    const { channel, buffer } = this
    if (buffer.packBytes === 0 || channel.bufferedAmount <= BUSY_BYTES) return false
    if (this.#refused) return true
    // A frame sent alone is not worth an event, so the threshold is set here; what drains beside us may be gone by then.
    channel.bufferedAmountLowThreshold = 0
    return channel.bufferedAmount > 0
  }

  #send(message: Bytes): void {
    this.channel.send(message)
    this.#sentBytes += message.length
  }

  #flush(): void {
    if (this.#pack.length > 0) this.#send(this.#pack.take())
  }

  #adapt(): void {
    const { leastBytes, boundBytes } = this.buffer
    const tookMs = this.now() - this.#refusedAtMs
    if (tookMs < QUICK_MS) this.#boundBytes = Math.min(boundBytes, this.#boundBytes * 2)
    else if (tookMs > SLOW_MS) this.#boundBytes = Math.max(leastBytes, this.#boundBytes / 2)
  }

  /** The channel has drained to its threshold. Returns whether frames were refused before, and may come again. */
  drained(): boolean {
    const refused = this.#refused
    this.#refused = false
    if (refused) this.#adapt()
    this.channel.bufferedAmountLowThreshold = this.#lowBytes
    try {
      this.#flush()
    } catch {
      // Closing: what it held is lost, as what was in its buffer is.
    }
    return refused
  }
}
