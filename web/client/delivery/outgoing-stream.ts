import { type Lane, laneOf, type PeerId, type StreamIndex } from '../../../signaling/protocol/index.ts'
import { distance, plus } from './serial.ts'

/**
 * Why a member did not get a message: it left, or was not there; it was too far behind and cut off; the application gave
 * the message up; this room was left or closed. Those on their way then may have arrived all the same.
 */
export type MissedReason = 'left' | 'lagging' | 'aborted' | 'closed'

/** A message on its way, as far as the streams care: who still has to get it. */
export interface Outgoing {
  readonly channel: number
  readonly ordinal: number
  /** `undefined`: the library of `member` has handed it to the application. */
  settle(member: PeerId, missed: MissedReason | undefined): void
}

/** A message's place in its stream. */
interface Placed {
  readonly message: Outgoing
  /** The last of its frames. */
  readonly lastSeq: number
}

/**
 * What one sender has to say to one audience in one lane: frames kept once, by sequence number, until every cursor
 * over them has passed. Knows nothing of paths or time.
 */
export class OutgoingStream {
  readonly lane: Lane
  /** The oldest frame kept. */
  base: number
  /** The next frame's number. */
  next: number
  readonly #frames: Uint8Array[] = []
  /** Running total of bytes up to and with each frame: lag and windows are differences of these. */
  readonly #ends: number[] = []
  #baseEnd = 0
  #head = 0
  readonly #placed: Placed[] = []
  #placedHead = 0
  /** How many messages have been dropped from the front of `#placed` for good. */
  #placedGone = 0

  constructor(
    readonly index: StreamIndex,
    firstSeq: number,
  ) {
    this.lane = laneOf(index)
    this.base = firstSeq
    this.next = firstSeq
  }

  get retainedBytes(): number {
    return this.offsetBefore(this.next) - this.#baseEnd
  }

  /** Bytes of all frames before `seq`, since the stream began. `seq` lies from `base` to `next`. */
  offsetBefore(seq: number): number {
    const count = distance(this.base, seq)
    return count === 0 ? this.#baseEnd : (this.#ends[this.#head + count - 1] ?? this.#baseEnd)
  }

  /** @throws when `seq` is no longer, or not yet, kept: a cursor outside its stream is a bug */
  frame(seq: number): Uint8Array {
    const frame = this.#frames[this.#head + distance(this.base, seq)]
    if (frame === undefined) throw new Error(`frame ${seq} is not kept`)
    return frame
  }

  append(frame: Uint8Array): void {
    const end = this.offsetBefore(this.next) + frame.length
    this.#frames.push(frame)
    this.#ends.push(end)
    this.next = plus(this.next, 1)
  }

  /** All frames of `message` have been appended. */
  place(message: Outgoing): void {
    this.#placed.push({ message, lastSeq: plus(this.next, -1) })
  }

  /** Where a cursor that starts now begins to count messages. */
  get messageCount(): number {
    return this.#placedGone + this.#placed.length - this.#placedHead
  }

  /** The `position`th message since the stream began, while it is kept. */
  placed(position: number): Placed | undefined {
    return this.#placed[this.#placedHead + position - this.#placedGone]
  }

  /** Forget what lies before `seq` and before the `position`th message: every cursor has passed them. */
  trim(seq: number, position: number): void {
    const count = distance(this.base, seq)
    if (count > 0) {
      this.#baseEnd = this.offsetBefore(seq)
      for (let index = 0; index < count; index += 1) {
        // The bytes go at once; the slots go when enough have gathered.
        this.#frames[this.#head + index] = EMPTY
      }
      this.#head += count
      this.base = seq
      if (this.#head > 1_024 && this.#head * 2 > this.#frames.length) {
        this.#frames.splice(0, this.#head)
        this.#ends.splice(0, this.#head)
        this.#head = 0
      }
    }
    const done = position - this.#placedGone
    if (done > 0) {
      this.#placedHead += done
      this.#placedGone = position
      if (this.#placedHead > 1_024 && this.#placedHead * 2 > this.#placed.length) {
        this.#placed.splice(0, this.#placedHead)
        this.#placedHead = 0
      }
    }
  }
}

const EMPTY = new Uint8Array()
