/** Two seconds of the most that a client may send; a client says every 5 s what it has seen. */
const MOST_KEPT = 256
const MOST_KEPT_BYTES = 262_144

interface Kept {
  readonly n: number
  readonly text: string
}

/**
 * What was published to one member: numbered, and kept until the member says that it has seen it, so that nothing is
 * lost with an uplink. The oldest are forgotten when there is too much.
 */
export class PublishedQueue {
  #kept: Kept[] = []
  #keptLength = 0
  #last = 0

  /** Take a message, whose text is that of a JSON object without its opening brace, and return it with its number. */
  add(rest: string): string {
    this.#last += 1
    const text = `{"t":"published","n":${this.#last},${rest}`
    this.#kept.push({ n: this.#last, text })
    this.#keptLength += text.length
    while (this.#kept.length > MOST_KEPT || this.#keptLength > MOST_KEPT_BYTES) this.#forgetOldest()
    return text
  }

  /** The client has these. */
  seen(n: number): void {
    while ((this.#kept[0]?.n ?? Number.POSITIVE_INFINITY) <= n) this.#forgetOldest()
  }

  /** The number before that of the first message kept, or of the next one. */
  get before(): number {
    return (this.#kept[0]?.n ?? this.#last + 1) - 1
  }

  /** What is kept, for a client that comes back. */
  texts(): readonly string[] {
    return this.#kept.map(({ text }) => text)
  }

  #forgetOldest(): void {
    this.#keptLength -= this.#kept.shift()?.text.length ?? 0
  }
}
