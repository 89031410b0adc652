/**
 * A pack: many small frames as one data channel message, because a message costs a channel much more than its bytes.
 *
 *   u8 0xff · runs; a run: u8 count, 1 or more · u16 length, 1 or more · count frames of that length
 *
 * 0xff begins no frame (type 7 has no flags 8 and 4), so a pack cannot stand in a pack.
 */
export const PACK = 0xff
const RUN_HEAD_BYTES = 3
const MOST_IN_RUN = 255
const MALFORMED = new Uint8Array()

/** Gathers frames until it is full or taken. */
export class PackWriter {
  /** Bytes of the pack so far: 0 when there is nothing in it. */
  length = 0
  /** Made when first needed: most lanes never have to wait. */
  #bytes = new Uint8Array()
  /** Where the head of the last run stands, and the length of its frames. */
  #runAt = 0
  #frameBytes = 0

  constructor(private readonly maxBytes: number) {}

  /** False, and nothing done: it does not fit (any more) into `limitBytes`, nor into `maxBytes`. Frames: at most 65,535 bytes. */
  add(frame: Uint8Array, limitBytes = this.maxBytes): boolean {
    const { length } = frame
    const atMost = Math.min(limitBytes, this.maxBytes)
    if (length === 0 || length > 0xffff || this.length + 1 + RUN_HEAD_BYTES + length > atMost) return false
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.maxBytes)
    const bytes = this.#bytes
    if (length !== this.#frameBytes || bytes[this.#runAt] === MOST_IN_RUN) {
      bytes[0] = PACK
      this.#runAt = this.length || 1
      this.#frameBytes = length
      bytes.set([0, length >> 8, length], this.#runAt)
      this.length = this.#runAt + RUN_HEAD_BYTES
    }
    bytes[this.#runAt] = (bytes[this.#runAt] as number) + 1
    bytes.set(frame, this.length)
    this.length += length
    return true
  }

  /** The pack, valid until the next `add`; the next one begins. */
  take(): Uint8Array<ArrayBuffer> {
    const pack = this.#bytes.subarray(0, this.length)
    this.length = 0
    this.#frameBytes = 0
    return pack
  }
}

/**
 * Hands `frame` the frames of a pack in order, as views into it, or the message itself when it is no pack. At the first
 * fault of a pack it hands on a frame of no bytes, which nobody can read, and stops.
 */
export function unpack(message: Uint8Array, frame: (bytes: Uint8Array) => void): void {
  if (message[0] !== PACK) {
    frame(message)
    return
  }
  let at = 1
  do {
    const count = message[at] ?? 0
    const length = ((message[at + 1] ?? 0) << 8) | (message[at + 2] ?? 0)
    at += RUN_HEAD_BYTES
    if (count * length === 0) {
      frame(MALFORMED)
      return
    }
    for (let index = 0; index < count; index += 1, at += length) {
      if (at + length > message.length) {
        frame(MALFORMED)
        return
      }
      frame(message.subarray(at, at + length))
    }
  } while (at < message.length)
}
