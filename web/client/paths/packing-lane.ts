import { PackWriter } from '../../../signaling/protocol/index.ts'
import type { LaneBuffer } from './path.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What a lane needs of its RTCDataChannel. */
export interface LaneChannel {
  readonly bufferedAmount: number
  bufferedAmountLowThreshold: number
  send(bytes: Bytes): void
}

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
  /** Bytes of messages handed to the channel. */
  #sentBytes = 0
  #refused = false

  constructor(
    private readonly channel: LaneChannel,
    private readonly buffer: LaneBuffer,
  ) {
    this.#pack = new PackWriter(buffer.packBytes)
    channel.bufferedAmountLowThreshold = buffer.lowBytes
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
    if (this.bufferedBytes >= this.buffer.boundBytes) {
      this.channel.bufferedAmountLowThreshold = this.buffer.lowBytes
      // Outside browsers the channel drains beside us. What it has at the new threshold, it will tell of.
      this.#refused = this.bufferedBytes >= this.buffer.boundBytes
      if (this.#refused) return false
    }
    if (pack.length > 0 || this.#busy()) {
      if (pack.add(frame)) return true
      this.#flush()
      if (pack.add(frame)) return true
    }
    this.#send(frame)
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

  /** The channel has drained to its threshold. Returns whether frames were refused before, and may come again. */
  drained(): boolean {
    const refused = this.#refused
    this.#refused = false
    this.channel.bufferedAmountLowThreshold = this.buffer.lowBytes
    try {
      this.#flush()
    } catch {
      // Closing: what it held is lost, as what was in its buffer is.
    }
    return refused
  }
}
