import type { PeerId } from '../protocol/ids.ts'

/** Gathered frames, one after the other; or one droppable frame, which a newer one may replace. */
interface Frames {
  bytes: Uint8Array
  length: number
  /** Sender and slot, when it is one droppable frame. */
  readonly slot: string | undefined
}

/** What makes older news of the same key old. */
export interface News {
  readonly key: string
  /** Stands for the message once it is old. */
  readonly short: string
}

/** A control message that brings news. */
interface Told extends News {
  text: string
}

type Waiting = string | Told | Frames

const isFrames = (item: Waiting | undefined): item is Frames => typeof item === 'object' && 'bytes' in item

/** The first allocation for gathered frames: a dozen chat lines. Doubles from there. */
const FIRST_BYTES = 1_024
/** What a waiting item costs beside its bytes; counted, so that many tiny ones are bounded too. */
const ITEM_OVERHEAD_BYTES = 128

function copyInto(frames: Frames, source: Uint8Array, start: number, end: number): void {
  const length = frames.length + end - start
  if (length > frames.bytes.length) {
    // Never reused after it was sent: a carrier may keep it until the network takes it.
    const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, length, frames.bytes.length * 2))
    larger.set(frames.bytes.subarray(0, frames.length))
    frames.bytes = larger
  }
  frames.bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), frames.length)
  frames.length = length
}

/** What waits for one receiver, frames and control messages in their order. Its owner checks the bounds. */
export class WaitingQueue {
  readonly #packetBytes: number
  #items: Waiting[] = []
  /** Those before are on their way: writing may call back into us. */
  #next = 0
  #slots: Map<string, Frames> | undefined
  /** The newest of each key. */
  #news: Map<string, Told> | undefined
  #bytes = 0
  #controlBytes = 0

  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes
  }

  get empty(): boolean {
    return this.#next === this.#items.length
  }

  /** Of frames, with what keeping them costs. */
  get bytes(): number {
    return this.#bytes
  }

  get controlBytes(): number {
    return this.#controlBytes
  }

  /** Whether `size` bytes still go into the packet at the end, if there is one. */
  fits(size: number): boolean {
    const tail = this.#packet()
    return tail === undefined || tail.length + size <= this.#packetBytes
  }

  /** With `news`, what waits of the same key becomes short: whoever reads slowly hears of each member the newest. */
  addControl(text: string, news?: News): void {
    this.#controlBytes += text.length + ITEM_OVERHEAD_BYTES
    if (news === undefined) {
      this.#items.push(text)
      return
    }
    this.#news ??= new Map()
    const older = this.#news.get(news.key)
    if (older !== undefined) {
      this.#controlBytes -= older.text.length - older.short.length
      older.text = older.short
    }
    const told = { text, ...news }
    this.#items.push(told)
    this.#news.set(news.key, told)
  }

  /** Forget what only stands for old news. The newer, which waits behind it, shows its reader that something is missing. */
  dropOld(): void {
    const kept = this.#items.slice(this.#next).filter((item) => {
      const old = typeof item === 'object' && !isFrames(item) && item.text === item.short
      if (old) this.#controlBytes -= item.text.length + ITEM_OVERHEAD_BYTES
      return !old
    })
    this.#items = [...this.#items.slice(0, this.#next), ...kept]
  }

  /** Copies. */
  addFrames(source: Uint8Array, start: number, end: number): void {
    const tail = this.#packet()
    this.#bytes += end - start
    if (tail !== undefined && tail.length + end - start <= this.#packetBytes) {
      copyInto(tail, source, start, end)
      return
    }
    const frames: Frames = { bytes: Buffer.allocUnsafe(Math.max(FIRST_BYTES, end - start)), length: 0, slot: undefined }
    copyInto(frames, source, start, end)
    this.#items.push(frames)
    this.#bytes += ITEM_OVERHEAD_BYTES
  }

  /**
   * Copies. Takes the place of a waiting frame of the same sender and slot: there its sender's `joined` is before it
   * and its `left` behind. When it does not fit into `mostBytes`, what waited goes on waiting.
   */
  addDroppable(
    source: Uint8Array,
    start: number,
    end: number,
    sender: PeerId,
    slot: number,
    mostBytes: number,
  ): 'added' | 'replaced' | 'full' {
    const key = sender + slot
    const older = this.#slots?.get(key)
    const growth = end - start - (older === undefined ? -ITEM_OVERHEAD_BYTES : older.length)
    if (this.#bytes + growth > mostBytes) return 'full'
    this.#bytes += growth
    if (older !== undefined) {
      older.length = 0
      copyInto(older, source, start, end)
      return 'replaced'
    }
    const frames: Frames = { bytes: Buffer.allocUnsafe(end - start), length: 0, slot: key }
    copyInto(frames, source, start, end)
    this.#items.push(frames)
    this.#slots ??= new Map()
    this.#slots.set(key, frames)
    return 'added'
  }

  /** Forget all droppable frames: something that may not be dropped needs their place. Returns how many there were. */
  dropDroppable(): number {
    if (this.#slots === undefined || this.#slots.size === 0) return 0
    const count = this.#slots.size
    // Those before `#next` are on their way.
    const kept = this.#items.slice(this.#next).filter((item) => !isFrames(item) || item.slot === undefined)
    for (const { length } of this.#slots.values()) this.#bytes -= length + ITEM_OVERHEAD_BYTES
    this.#slots.clear()
    this.#items = [...this.#items.slice(0, this.#next), ...kept]
    return count
  }

  /** Give everything to `writer`, in as few messages as `packetBytes` allows, until that says to stop. */
  drain(writer: { write(message: string | Uint8Array): boolean }): void {
    let goOn = true
    while (goOn && !this.empty) goOn = writer.write(this.#take())
    if (this.empty) this.#items = []
    else this.#items.splice(0, this.#next)
    this.#next = 0
  }

  clear(): void {
    this.#items = []
    this.#next = 0
    this.#slots = undefined
    this.#news = undefined
    this.#bytes = 0
    this.#controlBytes = 0
  }

  /** The packet at the end, if that is where more frames go. */
  #packet(): Frames | undefined {
    const tail = this.empty ? undefined : this.#items[this.#items.length - 1]
    return isFrames(tail) && tail.slot === undefined ? tail : undefined
  }

  /** The next message: a text, or all frames up to the next text that fit into one packet. */
  #take(): string | Uint8Array {
    const first = this.#next
    const item = this.#items[first] as Waiting
    this.#next += 1
    if (!isFrames(item)) {
      const text = typeof item === 'string' ? item : item.text
      this.#controlBytes -= text.length + ITEM_OVERHEAD_BYTES
      if (typeof item === 'object' && this.#news?.get(item.key) === item) this.#news.delete(item.key)
      return text
    }
    let length = this.#leave(item)
    for (let more = this.#items[this.#next]; isFrames(more); more = this.#items[this.#next]) {
      if (length + more.length > this.#packetBytes) break
      length += this.#leave(more)
      this.#next += 1
    }
    if (this.#next === first + 1) return item.bytes.subarray(0, length)
    const packet = Buffer.allocUnsafe(length)
    let at = 0
    for (let index = first; index < this.#next; index += 1) {
      const frames = this.#items[index] as Frames
      packet.set(frames.bytes.subarray(0, frames.length), at)
      at += frames.length
    }
    return packet
  }

  #leave(frames: Frames): number {
    this.#bytes -= frames.length + ITEM_OVERHEAD_BYTES
    if (frames.slot !== undefined) this.#slots?.delete(frames.slot)
    return frames.length
  }
}
