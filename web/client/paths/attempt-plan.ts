import type { IceServer } from '../../../signaling/protocol/index.ts'
import { type AttemptTimes, CANDIDATES_PER_ATTEMPT } from './attempt-times.ts'
import { hasTurn, type PathPolicy, throughTurnOnly, withoutTurn } from './ice-servers.ts'
import type { PathSignal } from './path.ts'

export interface AttemptPlan {
  readonly iceServers: readonly IceServer[]
  readonly iceTransportPolicy: 'all' | 'relay'
  /** How long until it must have opened. */
  readonly openWithinMs: number
  /** When it is not usable by then, one with TURN follows at once. */
  readonly turnNext: boolean
  /** What there will not be when it fails, for people. */
  readonly way: string
}

/**
 * How one attempt is made. `turn` is what the numbering side says in its offer: the answering side gathers with TURN
 * when the offer says so, and when it may do nothing else. `undefined`: it needs TURN, and no server is known.
 */
export function planAttempt(
  { initiator, turn, policy }: { readonly initiator: boolean; readonly turn: boolean; readonly policy: PathPolicy },
  known: readonly IceServer[],
  times: AttemptTimes,
): AttemptPlan | undefined {
  const turnOnly = throughTurnOnly(policy)
  const iceServers = policy.turn && (turn || turnOnly) ? known : withoutTurn(known)
  if (turnOnly && !hasTurn(iceServers)) return undefined
  // Servers that were not to be had in time may come for the next one.
  const turnNext = initiator && !turn && policy.turn && (hasTurn(known) || known.length === 0)
  return {
    iceServers,
    iceTransportPolicy: turnOnly ? 'relay' : 'all',
    openWithinMs: turnNext ? times.withoutTurnMs : initiator ? times.connectMs : times.answerMs,
    turnNext,
    way: turnOnly ? 'path through TURN' : 'direct path',
  }
}

/** Lets signals through, but of candidates no more than the other side takes. */
export function boundedCandidates(say: (signal: PathSignal) => void): (signal: PathSignal) => void {
  let candidates = 0
  return (signal) => {
    if (signal.t === 'candidate') candidates += 1
    if (candidates <= CANDIDATES_PER_ATTEMPT) say(signal)
  }
}
