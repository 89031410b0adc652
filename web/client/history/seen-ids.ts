/** Ordinals of one channel that follow each other. */
interface Run {
  readonly first: number
  last: number
}

/** `<instance>-<channel>-<ordinal>`, or `…-u<number>`; others stand for themselves. */
const PARTS = /^(.*-u?)(\d+)$/

/**
 * Which messages have been handed on. What comes one after the other costs one place, however much it is: a channel that is
 * busy, and may not even be stored, has nothing forgotten of a quiet one.
 */
export class SeenIds {
  /** By the id without its number; the one that something came of last at the end. */
  readonly #runs = new Map<string, Run[]>()
  #count = 0

  /** `most`: runs that are kept. */
  constructor(private readonly most: number) {}

  has(id: string): boolean {
    const [channel, ordinal] = split(id)
    return this.#runs.get(channel)?.some(({ first, last }) => first <= ordinal && ordinal <= last) ?? false
  }

  /** `from`: the first of those that follow each other, up to `id`; none of them has been noted. */
  note(id: string, from = id): void {
    if (this.has(id)) return
    const [channel, ordinal] = split(id)
    const [, first] = split(from)
    const runs = this.#runs.get(channel) ?? []
    this.#runs.delete(channel)
    this.#runs.set(channel, runs)
    const before = runs.find(({ last }) => last + 1 === first)
    if (before !== undefined) {
      before.last = ordinal
      return
    }
    runs.push({ first, last: ordinal })
    this.#count += 1
    if (this.#count > this.most) this.#forgetOne()
  }

  #forgetOne(): void {
    for (const [channel, runs] of this.#runs) {
      runs.shift()
      this.#count -= 1
      if (runs.length === 0) this.#runs.delete(channel)
      return
    }
  }
}

function split(id: string): readonly [channel: string, ordinal: number] {
  const [, channel = id, ordinal = 0] = PARTS.exec(id) ?? []
  return [channel, Number(ordinal)]
}
