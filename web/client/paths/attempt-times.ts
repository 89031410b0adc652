/** How long each state of `Attempts` may last. Every one has an end of our own: ICE does not always report one. */
export const ATTEMPT_TIMES = Object.freeze({
  /** A first attempt, without TURN, is replaced by one with TURN when it is not usable by then. */
  withoutTurnMs: 2_000,
  /** An attempt whose lanes have not opened is given up: in the NAT lab the slowest pair took 365 ms, at 150 ms of
   * added round trip 2 s. A side with nothing but unresolvable candidates stays `new` for ever. */
  connectMs: 10_000,
  /** The same at the side that answers, a little later: so that usually the numbering side moves first. */
  answerMs: 12_000,
  /** An open path whose ping is not answered is given up. */
  pingMs: 3_000,
  /** Credentials that come later are not waited for: the attempt starts with none. */
  iceServersMs: 2_000,
  /** The answering side waits this long for the offer it asked for, or for the first one. */
  offerMs: 10_000,
  /** A side that was told `full` tries again after this even if nobody said `slot`. */
  fullMs: 60_000,
  /** After the n-th failure in a row the next attempt starts after a random part of min(longest, shortest × 2^n). */
  shortestBackOffMs: 1_000,
  longestBackOffMs: 60_000,
  /** A path that was usable this long was a good one: failures are counted from nothing again. */
  steadyMs: 30_000,
  /** A path in use that does not answer gets so long to come back before another is made beside it. */
  doubtMs: 1_000,
  /** For so long after a path was lost, further attempts follow after a random part of the shortest back-off: where
   * there was a way there will be one again, and an attempt that is under way when the network heals is quick. */
  eagerMs: 60_000,
  /** In that time an attempt gets this long, twice what the last good one took, or an eighth of what has passed, if that
   * is longer: ICE asks servers that do not answer less and less often, and then no more, so that an attempt begun
   * without a network is slow to see it heal. */
  eagerConnectMs: 2_000,
  /** Beside a path through TURN, a direct one is looked for after this, doubling: NATs change, and TURN costs its
   * operator. Soon after a path was lost, after the shortest back-off instead. */
  seekDirectMs: 5_000,
  longestSeekDirectMs: 600_000,
  /** A replaced path goes on receiving this long, for what was on the way: longer than a round trip. */
  retireMs: 2_000,
  /** Attempts of a link start at least this far apart, whoever asks. */
  spacingMs: 500,
  /** Changes of the network come in bursts: the first acts at once, those within this time act together at its end. */
  networkBurstMs: 1_000,
} as const)
export type AttemptTimes = { readonly [Name in keyof typeof ATTEMPT_TIMES]: number }

/** Candidates kept or passed on per attempt and direction; a browser with many interfaces has some 30. */
export const CANDIDATES_PER_ATTEMPT = 64

/** Exponential, with full jitter: those who lost their paths together do not come back together. */
export function backOffMs(failures: number, random: () => number, times: AttemptTimes): number {
  return random() * Math.min(times.longestBackOffMs, times.shortestBackOffMs * 2 ** Math.min(failures, 30))
}
