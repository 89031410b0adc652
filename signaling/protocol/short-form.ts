/**
 * Short forms: on an ordered and reliable data channel, what a frame has in common with the one before it need not
 * travel again. Messages small enough to be sent one by one are mostly head: 11 bytes of data, 14 of an ack.
 *
 *   u8 0xe4 · u8 later · body      the data frame that follows the last one, `sent` so many ms later
 *   u8 0xe5 · u8 held · u8 further the ack that follows the last one, its `next` so many frames further
 *
 * Neither begins a frame (type 7 has no flag 4). A frame in a pack has no short form, and is none's last one.
 */
import { FRAME } from './frame.ts'

const SHORT_DATA = 0xe4
const SHORT_ACK = 0xe5
/** A first byte above this is that of another type, or has flags: unicast, bulk, or a channel that opens. */
const MOST_PLAIN = 3
/** What a plain data frame begins with: its first byte, seq, a channel of one byte, ordinal and sent. */
const HEAD_BYTES = 11
const CHANNEL_AT = 5
const MOST_CHANNEL = 127
/** An ack of one stream, with no bitmap and nothing unread: its first byte, held, delay, window, next and a 0. */
const ACK_BYTES = 14
const ACK_NEXT_AT = 9
const ONE_STREAM = new Set([1, 2, 4, 8].map((stream) => (FRAME.ack << 5) | stream))
const MALFORMED = new Uint8Array()

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
const u24 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) << 8) | (bytes[at + 2] as number)
const u32 = (bytes: Uint8Array, at: number): number => ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0

function write(bytes: Uint8Array, at: number, size: 2 | 3 | 4, value: number): void {
  for (let index = 0; index < size; index += 1) bytes[at + index] = value >>> (8 * (size - 1 - index))
}

const isPlainData = (frame: Uint8Array): boolean =>
  (frame[0] as number) <= MOST_PLAIN && frame.length >= HEAD_BYTES && (frame[CHANNEL_AT] as number) <= MOST_CHANNEL

const isPlainAck = (frame: Uint8Array): boolean =>
  frame.length === ACK_BYTES && frame[ACK_BYTES - 1] === 0 && ONE_STREAM.has(frame[0] as number)

/** The last frames of their kind that went, or came, by a channel, and came alone. Each side of it has one. */
class Last {
  readonly head = new Uint8Array(HEAD_BYTES)
  readonly ack = new Uint8Array(ACK_BYTES)
  hasHead = false
  hasAck = false

  take(frame: Uint8Array): void {
    if (isPlainData(frame)) {
      this.head.set(frame.subarray(0, HEAD_BYTES))
      this.hasHead = true
    } else if (isPlainAck(frame)) {
      this.ack.set(frame)
      this.hasAck = true
    }
  }
}

/** The side that sends. */
export class Shortener {
  #last = new Last()

  /** What is sent instead of `frame`, which is to be sent next. */
  shorten(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const short = this.#short(frame)
    this.#last.take(frame)
    return short ?? frame
  }

  /** What it was told to send has not been sent. */
  forget(): void {
    this.#last = new Last()
  }

  #short(frame: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const { hasHead, hasAck } = this.#last
    if (hasHead && isPlainData(frame)) return this.#shortData(frame)
    return hasAck && isPlainAck(frame) ? this.#shortAck(frame) : undefined
  }

  #shortData(frame: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const { head } = this.#last
    const later = (u24(frame, 8) - u24(head, 8)) & 0xff_ffff
    const follows =
      frame[0] === head[0] &&
      frame[CHANNEL_AT] === head[CHANNEL_AT] &&
      u32(frame, 1) === (u32(head, 1) + 1) >>> 0 &&
      u16(frame, 6) === ((u16(head, 6) + 1) & 0xffff)
    if (!follows || later > 0xff) return undefined
    const short = new Uint8Array(2 + frame.length - HEAD_BYTES)
    short[0] = SHORT_DATA
    short[1] = later
    short.set(frame.subarray(HEAD_BYTES), 2)
    return short
  }

  #shortAck(frame: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const { ack } = this.#last
    const held = u16(frame, 1)
    const further = (u32(frame, ACK_NEXT_AT) - u32(ack, ACK_NEXT_AT)) >>> 0
    let isSame = frame[0] === ack[0]
    // Delay and window.
    for (let at = 3; at < ACK_NEXT_AT; at += 1) isSame &&= frame[at] === ack[at]
    return isSame && held <= 0xff && further <= 0xff ? Uint8Array.of(SHORT_ACK, held, further) : undefined
  }
}

/** The side that receives. */
export class Restorer {
  readonly #last = new Last()

  /** The whole of what came; of no bytes, which nobody can read, when there is nothing that it follows. */
  restore(message: Uint8Array): Uint8Array {
    const whole = this.#whole(message)
    this.#last.take(whole)
    return whole
  }

  #whole(message: Uint8Array): Uint8Array {
    const [form, first, second] = message
    if (form === SHORT_DATA) {
      if (!this.#last.hasHead || first === undefined) return MALFORMED
      const frame = new Uint8Array(HEAD_BYTES + message.length - 2)
      frame.set(this.#last.head)
      write(frame, 1, 4, u32(frame, 1) + 1)
      write(frame, 6, 2, u16(frame, 6) + 1)
      write(frame, 8, 3, u24(frame, 8) + first)
      frame.set(message.subarray(2), HEAD_BYTES)
      return frame
    }
    if (form !== SHORT_ACK) return message
    if (!this.#last.hasAck || first === undefined || second === undefined) return MALFORMED
    const ack = this.#last.ack.slice()
    write(ack, 1, 2, first)
    write(ack, ACK_NEXT_AT, 4, u32(ack, ACK_NEXT_AT) + second)
    return ack
  }
}
