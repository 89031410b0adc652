import { type Content, LIMITS, type PieceFrame, ProtocolError } from '../../../signaling/protocol/index.ts'
import { OVERHEAD_BYTES } from './receive-budget.ts'

/** A message put together again. */
export interface Whole {
  readonly content: Content
  readonly sent: number
  readonly number: number
  readonly body: Uint8Array
}

const MOST_PIECES = Math.ceil(LIMITS.messageBytes / LIMITS.fragmentBytes)

/** The pieces of one message, which come in any order, each once. */
export class Assembly {
  readonly #pieces: (Uint8Array | undefined)[] = []
  #start: PieceFrame['start']
  #count: number | undefined
  #come = 0
  #bytes = 0

  get heldBytes(): number {
    return this.#bytes + OVERHEAD_BYTES
  }

  /** Add a piece; returns the message when it is the last one missing. @throws ProtocolError when pieces contradict */
  add(piece: PieceFrame): Whole | undefined {
    if (piece.index >= MOST_PIECES || (this.#count !== undefined && piece.index >= this.#count)) {
      throw new ProtocolError('fragment.index', `piece ${piece.index} of ${this.#count ?? MOST_PIECES}`)
    }
    if (piece.start !== undefined) this.#start = piece.start
    if (piece.last) this.#count = piece.index + 1
    this.#pieces[piece.index] = piece.body
    this.#come += 1
    this.#bytes += piece.body.length
    if (this.#count === undefined || this.#start === undefined || this.#come < this.#count) return undefined
    const { content, sent, number, totalBytes } = this.#start
    if (this.#bytes !== totalBytes || this.#pieces.length !== this.#count) {
      throw new ProtocolError('fragment.total', `${this.#bytes} bytes of ${totalBytes}`)
    }
    const body = new Uint8Array(totalBytes)
    let position = 0
    for (const bytes of this.#pieces) {
      if (bytes === undefined) throw new ProtocolError('fragment.index', 'a piece is missing')
      body.set(bytes, position)
      position += bytes.length
    }
    return { content, sent, number, body }
  }
}
