/** A binary message on its way: lent bytes, and who has been offered a part of them. */
export class Parcel {
  readonly bytes: Uint8Array
  /** Made when it is first needed, as `#view`: what is published to a room is offered to nobody. */
  #offered: Settling[] | undefined
  #view: Uint8Array | undefined
  #viewStart = 0
  #viewEnd = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Part of the bytes, without copying; the same object for all receivers of a broadcast. */
  view(start: number, end: number): Uint8Array {
    if (start === 0 && end === this.bytes.length) return this.bytes
    if (this.#view === undefined || this.#viewStart !== start || this.#viewEnd !== end) {
      this.#view = this.bytes.subarray(start, end)
      this.#viewStart = start
      this.#viewEnd = end
    }
    return this.#view
  }

  /** One envelope, which ends there, is all there is of it. */
  holds(end: number): boolean {
    return this.#offered === undefined && end === this.bytes.length
  }

  offeredTo(receiver: Settling): void {
    if (this.#offered === undefined) this.#offered = [receiver]
    else this.#offered.push(receiver)
  }

  /** The message has been read to its end: everyone sends or keeps its part now, before the bytes go away. */
  settle(): void {
    if (this.#offered !== undefined) for (const receiver of this.#offered) receiver.settle()
  }
}

export interface Settling {
  settle(): void
}
