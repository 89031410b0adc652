/**
 * Short forms: on an ordered and reliable data channel, what a frame has in common with the one before it need not
 * travel again. Messages small enough to be sent one by one are mostly head: 11 bytes of data, 14 of an ack.
 *
 *   u8 0xe4 · u8 later · body      the data frame that follows the last one, `sent` so many ms later
 *   u8 0xe5 · u8 held · u8 further the ack that follows the last one, its `next` so many frames further
 *
 * Neither begins a frame (type 7 has no flag 4). A frame in a pack has no short form, and is none's last one.
 */

const SHORT_DATA = 0xe4
const SHORT_ACK = 0xe5
/** What a plain data frame begins with: its first byte, seq, a channel of one byte, ordinal and sent. */
const HEAD_BYTES = 11
/** An ack of one stream, with no bitmap and nothing unread: its first byte, held, delay, window, next and a 0. */
const ACK_BYTES = 14
/** Type 2, and the bit of the stream. */
const ACKS = [0x41, 0x42, 0x44, 0x48]
const MALFORMED = new Uint8Array()

type Form = typeof SHORT_DATA | typeof SHORT_ACK
type Bytes = Uint8Array<ArrayBuffer>

/** Which short form a frame may have, if it follows the last one. */
function formOf(frame: Uint8Array): Form | undefined {
  const [first = 0xff, , , , , channel = 0xff] = frame
  // Without flags: unicast, bulk, or a channel that opens.
  if (first <= 3 && channel < 0x80 && frame.length >= HEAD_BYTES) return SHORT_DATA
  return frame.length === ACK_BYTES && frame[13] === 0 && ACKS.includes(first) ? SHORT_ACK : undefined
}

/** What a form takes the place of, and with how many bytes of its own. */
const headBytes = (form: Form): number => (form === SHORT_DATA ? HEAD_BYTES : ACK_BYTES)
const shortBytes = (form: Form): number => (form === SHORT_DATA ? 2 : 3)

/** The whole head that a short form stands for. */
function follow(form: Form, last: Uint8Array, first = 0, second = 0): Bytes {
  const head = Uint8Array.from(last)
  const view = new DataView(head.buffer)
  if (form === SHORT_ACK) {
    view.setUint16(1, first)
    view.setUint32(9, view.getUint32(9) + second)
    return head
  }
  const sent = (view.getUint32(7) & 0xff_ffff) + first
  view.setUint32(1, view.getUint32(1) + 1)
  view.setUint16(6, view.getUint16(6) + 1)
  view.setUint8(8, sent >> 16)
  view.setUint16(9, sent)
  return head
}

function replaceHead(message: Uint8Array, bytes: number, head: Uint8Array | readonly number[]): Bytes {
  const replaced = new Uint8Array(head.length + message.length - bytes)
  replaced.set(head)
  replaced.set(message.subarray(bytes), head.length)
  return replaced
}

/**
 * The last frames of their kind that went, or came, by a channel as messages of their own. Each direction has one at
 * either side.
 */
export class ShortForms {
  readonly #last = new Map<Form, Uint8Array>()

  /** What is sent instead of `frame`, which is to be sent next. */
  shorten(frame: Bytes): Bytes {
    const form = formOf(frame)
    const last = form && this.#last.get(form)
    this.#take(frame)
    if (form === undefined || last === undefined) return frame
    const byte = (at: number): number => ((frame[at] as number) - (last[at] as number)) & 0xff
    const short = form === SHORT_DATA ? [form, byte(10)] : [form, frame[2] as number, byte(12)]
    // As the other side will.
    const whole = follow(form, last, short[1], short[2])
    return whole.every((value, at) => value === frame[at]) ? replaceHead(frame, whole.length, short) : frame
  }

  /** What it was told to send has not been sent. */
  forget(): void {
    this.#last.clear()
  }

  /** The whole of what came; of no bytes, which nobody can read, when there is nothing that it follows. */
  restore(message: Uint8Array): Uint8Array {
    const form = message[0] as Form
    let whole = message
    if (form === SHORT_DATA || form === SHORT_ACK) {
      const last = this.#last.get(form)
      if (last === undefined || message.length < shortBytes(form)) return MALFORMED
      whole = replaceHead(message, shortBytes(form), follow(form, last, message[1], message[2]))
    }
    this.#take(whole)
    return whole
  }

  #take(frame: Uint8Array): void {
    const form = formOf(frame)
    if (form !== undefined) this.#last.set(form, frame.slice(0, headBytes(form)))
  }
}
