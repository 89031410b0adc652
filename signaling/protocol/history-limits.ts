/** Numbers of what is kept that both sides agree on, apart from the others: most clients never need them. */
export const HISTORY_LIMITS = Object.freeze({
  /** Longest body of a stored message: with its head it is one envelope. Hard. */
  storedBytes: 61_440,
  /** Entries of one answer from the history. Hard. */
  historyEntries: 256,
  /** Records, and bytes of them, that an instance has under way without an answer. */
  unansweredRecords: 64,
  unansweredBytes: 1_048_576,
  /** A record that has had no answer for so long, ms, is given up. */
  recordLifeMs: 43_200_000,
  /** Items of one `stored` or `logged`. Hard. */
  loggedItems: 1_024,
  /** Read positions that are kept of one log. */
  positions: 1_000,
  /** How long, in ms, a receiver waits for the live copy of what was logged. */
  loggedPatienceMs: 2_000,
  /** Runs of ids of live messages that a receiver keeps to know them again: what follows each other is one. */
  seenIds: 4_096,
} as const)
