import type { Account } from './page/talker.ts'

/** What became of the messages of one talker to another. */
export interface Delivery {
  /** Addressed to the other: sent when both were in the room. */
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly repeated: number
  readonly outOfOrder: number
  /** Between two messages that came one after another, ms. */
  readonly longestGapMs: number
  /** From `send` to the other's application, ms. */
  readonly longestDelayMs: number
  /** From the receiver's `joinRoom` to the first message, ms. */
  readonly firstMs: number | undefined
}

/** `from` sent, `to` received; what each says of the other. */
export function delivery(from: Account, to: Account): Delivery {
  const seen = new Set<number>()
  let repeated = 0
  let outOfOrder = 0
  let largest = -1
  let lastMs: number | undefined
  let longestGapMs = 0
  let longestDelayMs = 0
  for (const { n, atMs, delayMs } of to.heard) {
    if (seen.has(n)) repeated += 1
    else if (n < largest) outOfOrder += 1
    seen.add(n)
    largest = Math.max(largest, n)
    longestGapMs = Math.max(longestGapMs, atMs - (lastMs ?? atMs))
    longestDelayMs = Math.max(longestDelayMs, delayMs)
    lastMs = atMs
  }
  const lost = from.addressed.filter((n) => !seen.has(n)).length
  const first = to.heard[0]
  return {
    sent: from.addressed.length,
    delivered: seen.size,
    lost,
    repeated,
    outOfOrder,
    longestGapMs: Math.round(longestGapMs),
    longestDelayMs: Math.round(longestDelayMs),
    firstMs: first === undefined ? undefined : Math.round(first.atMs - to.joinedAtMs),
  }
}
