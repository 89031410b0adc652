import type { DirectKind, NegotiatedPath, PathSignal } from './path.ts'

export type OfferSignal = Extract<PathSignal, { readonly t: 'offer' }>

/**
 * What a link does about its next path. Which path is in use is kept beside it (`Attempts.current`): while one is
 * usable, an attempt to replace it runs beside it.
 *
 * | state      | means                                           | leaves by (numbering side N, answering side A)           |
 * |------------|-------------------------------------------------|----------------------------------------------------------|
 * | new        | not started                                     | start                                                    |
 * | up         | a path is usable, nothing else is under way     | path lost, in doubt, or through TURN → waiting · network change, `ask` → preparing N, expecting A · `offer` → preparing A |
 * | waiting    | backing off until the next attempt; a path may be in use | the path in doubt answers → up · time → preparing N, expecting A · `ask` → preparing N · `offer` → preparing A |
 * | expecting  | A: the first offer, or one it asked for, is due | `offer` → preparing · time → waiting (up, if a path is)  |
 * | full-here  | in line for a slot of this member               | slot → preparing N, expecting A                          |
 * | full-there | the other side has no slot                      | `slot`, time → preparing N, expecting A · `offer` → preparing A |
 * | preparing  | keeping distance from the attempt before, then fetching fresh ICE servers | servers, or time → connecting                            |
 * | connecting | a peer connection is negotiated, or open and not yet pinged | usable → up · closed, time → preparing with TURN (N, once), waiting (up, if a path is) · `full` → full-there · newer `offer` → preparing A |
 * | off        | one side does no WebRTC: for good               | `offer` → preparing A, when it was the other side        |
 * | stopped    | the link is over                                | never                                                    |
 *
 * Every state but new, up, full-here, off and stopped has a timer. (A place in line is kept within this process, so it
 * cannot be lost.) `stop` and `relay-only` lead out of every state.
 */
export type AttemptState =
  | { readonly is: 'new' | 'up' | 'stopped' }
  /** `for`: a retry, the path in doubt to answer, or the time to look for a direct path beside the one through TURN. */
  | {
      readonly is: 'waiting'
      readonly for: 'retry' | 'answer' | 'direct'
      readonly because: string
      readonly untilMs: number
    }
  | { readonly is: 'expecting'; readonly asked: boolean }
  /** `told`: the other side waits for our `slot`. */
  | { readonly is: 'full-here'; readonly told: boolean; readonly leaveLine: () => void }
  | { readonly is: 'full-there' }
  | {
      readonly is: 'preparing'
      readonly attempt: number
      readonly turn: boolean
      /** What the answering side will answer. */
      readonly offer: OfferSignal | undefined
    }
  | {
      readonly is: 'connecting'
      readonly attempt: number
      readonly turn: boolean
      readonly path: NegotiatedPath
      readonly phase: 'negotiating' | 'answered' | 'open'
      /** Another attempt with TURN is worth trying at once when this one is not usable. */
      readonly turnNext: boolean
    }
  | { readonly is: 'off'; readonly side: 'here' | 'there'; readonly because: string }

/** States that hold the link's slot even while no path is usable. `expecting` keeps it if it has it. */
export const HOLDS_SLOT: ReadonlySet<AttemptState['is']> = new Set(['preparing', 'connecting', 'expecting', 'up'])

export interface WhyContext {
  readonly kind: DirectKind | undefined
  readonly turnOnly: boolean
  readonly slotLimit: number
  readonly nowMs: number
}

/** Why the link has the path it has, in words for people. */
export function whyOf(state: AttemptState, { kind, turnOnly, slotLimit, nowMs }: WhyContext): string {
  if (kind === 'direct') return 'connected directly'
  if (kind === 'turn')
    return turnOnly ? 'connected through TURN, as set' : 'no direct way was found: connected through TURN'
  switch (state.is) {
    case 'new':
      return 'not tried yet'
    case 'up':
      return 'connected'
    case 'waiting':
      return `${state.because}: trying again in ${seconds(Math.max(0, state.untilMs - nowMs))}`
    case 'expecting':
      return state.asked ? 'asked the other side to connect again' : 'waiting for the other side to connect'
    case 'full-here':
      return `this side's limit of ${slotLimit} direct peers is reached`
    case 'full-there':
      return "the other side's limit of direct peers is reached"
    case 'preparing':
    case 'connecting':
      if (state.is === 'connecting' && state.phase === 'open') return 'connected, checking the path'
      if (turnOnly) return 'connecting through TURN'
      return state.turn ? 'connecting directly or through TURN' : 'connecting directly'
    case 'off':
      return state.because
    case 'stopped':
      return 'ended'
  }
}

/** `4 s`; less than one is said as one. */
export const seconds = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1_000))} s`
