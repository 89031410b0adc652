import { BodyError } from './network.ts'

/**
 * A body as it comes, in bytes of its own. Pieces are copied together at once: one costs some 400 bytes beside its own, so
 * that a body in chunks of one byte, kept as pieces, took sixty times what it took to send.
 */
export class Body {
  readonly #maxBytes: number
  #bytes = new Uint8Array()
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Copies. */
  add(piece: Uint8Array): void {
    const start = this.#length
    this.#length += piece.length
    if (this.#length > this.#maxBytes) {
      this.#bytes = new Uint8Array()
      return
    }
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(this.#length, 2 * this.#bytes.length)))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
    }
    this.#bytes.set(piece, start)
  }

  /** @throws BodyError `too-large` */
  whole(): Uint8Array {
    if (this.#length > this.#maxBytes) throw new BodyError('too-large')
    return this.#bytes.subarray(0, this.#length)
  }
}
