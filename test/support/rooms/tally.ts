/** What became of numbered messages: 0, 1, 2, …, sent in this order. */
export interface Tally {
  readonly count: number
  readonly lost: readonly number[]
  readonly twice: readonly number[]
  /** Numbers that came after a larger one. */
  readonly late: readonly number[]
}

/** The tally of a receiver that got everything. */
export const allOf = (count: number): Tally => ({ count, lost: [], twice: [], late: [] })

/** Lost is what is missing below the largest that came: compare `count` too. */
export function countIn(received: readonly number[]): Tally {
  const seen = new Set<number>()
  const twice: number[] = []
  const late: number[] = []
  let largest = -1
  for (const n of received) {
    if (seen.has(n)) twice.push(n)
    else if (n < largest) late.push(n)
    seen.add(n)
    largest = Math.max(largest, n)
  }
  const lost = Array.from({ length: largest + 1 }, (_, n) => n).filter((n) => !seen.has(n))
  return { count: received.length, lost, twice, late }
}
