import { type Audience, CONTENT, type PieceFrame } from '../../../signaling/protocol/index.ts'
import { Assembly, type Whole } from './assembly.ts'
import { OVERHEAD_BYTES } from './receive-budget.ts'
import { before, plus } from './serial.ts'

const HALF = 0x8000
/**
 * No further ahead of the next message is anything taken: small messages may overtake a large one on their channel, and
 * 16 bits of ordinal travel. What two windows hold beyond this is still before `HALF`.
 */
const MOST_AHEAD = 0x4000

/** A message as the delivery layer hands it on. */
export interface Arrived extends Whole {
  /** With its kind, as the sender named it. */
  readonly channel: string
  readonly channelId: number
  readonly audience: Audience
  readonly ordinal: number
}

/** Hands a message on. `false`: not now; it is kept, and `drain` tries again. */
export type HandOn = (message: Arrived) => boolean

/**
 * One channel of one sender to one audience: puts messages together and hands them on in the order of their ordinals.
 * A hole here holds back this channel only.
 */
export class ChannelOrder {
  name: string | undefined
  /** Ordinal of the next message to hand on; known once the channel has been opened. */
  next = 0
  readonly #whole = new Map<number, Whole>()
  readonly #partial = new Map<number, Assembly>()
  #draining = false
  /** Those before this ordinal were handed on in an earlier beginning. */
  handed: number | undefined
  /** The application takes no more for now. */
  blocked = false

  /** `held` is told of every byte kept or let go. */
  constructor(
    readonly id: number,
    readonly audience: Audience,
    private readonly held: (bytes: number) => void,
  ) {}

  /** Whole messages wait: for an earlier one, or for the application. */
  get waiting(): boolean {
    return this.#whole.size > 0
  }

  /** The sender has said what the channel is called, and where its messages begin for us. */
  open(name: string, ordinal: number): void {
    if (this.name !== undefined) return
    this.name = name
    this.next = ordinal
  }

  /** How many messages lie between the next one and this piece's, as far as is known; more than can be is `Infinity`. */
  ahead({ ordinal, opening }: PieceFrame): number {
    if (opening !== undefined) return 0
    const ahead = this.name === undefined ? this.#whole.size + 1 : (ordinal - this.next) & 0xffff
    return ahead >= HALF ? 0 : ahead < MOST_AHEAD ? ahead : Number.POSITIVE_INFINITY
  }

  /** Take a piece that has not come before. @throws ProtocolError */
  take(piece: PieceFrame): void {
    if (piece.opening !== undefined) this.open(piece.opening.name, piece.opening.ordinal)
    // What lies before the start was not meant for us: it was under way when we came.
    if (this.name !== undefined && ((piece.ordinal - this.next) & 0xffff) >= HALF) return
    if (piece.start !== undefined && piece.last) {
      this.#keep(piece.ordinal, { ...piece.start, body: piece.body })
      return
    }
    const known = this.#partial.get(piece.ordinal)
    const assembly = known ?? new Assembly()
    this.#partial.set(piece.ordinal, assembly)
    const heldBefore = known?.heldBytes ?? 0
    let whole: Whole | undefined
    try {
      whole = assembly.add(piece)
    } finally {
      this.held(assembly.heldBytes - heldBefore)
    }
    if (whole === undefined) return
    this.#partial.delete(piece.ordinal)
    this.held(-assembly.heldBytes)
    this.#keep(piece.ordinal, whole)
  }

  #keep(ordinal: number, whole: Whole): void {
    this.#whole.set(ordinal, whole)
    this.held(whole.body.length + OVERHEAD_BYTES)
  }

  /** Hand on what is in order, while it is taken. Returns how many. */
  drain(handOn: HandOn): number {
    const name = this.name
    // A handler that makes us drain again, inside this drain, is served by the outer one.
    if (name === undefined || this.#draining) return 0
    this.#draining = true
    this.blocked = false
    let count = 0
    try {
      for (;;) {
        const ordinal = this.next
        const whole = this.#whole.get(ordinal & 0xffff)
        if (whole === undefined) return count
        const { audience, id } = this
        const over = whole.content === CONTENT.void || (this.handed !== undefined && before(ordinal, this.handed))
        if (!over && !handOn({ ...whole, channel: name, channelId: id, audience, ordinal })) {
          this.blocked = true
          return count
        }
        // The handler may have ended the link, and this with it.
        if (!this.#whole.delete(ordinal & 0xffff)) return count
        this.held(-(whole.body.length + OVERHEAD_BYTES))
        this.next = plus(ordinal, 1)
        count += 1
      }
    } finally {
      this.#draining = false
    }
  }

  /** Forget everything held. */
  clear(): void {
    for (const { body } of this.#whole.values()) this.held(-(body.length + OVERHEAD_BYTES))
    for (const { heldBytes } of this.#partial.values()) this.held(-heldBytes)
    this.#whole.clear()
    this.#partial.clear()
  }
}
