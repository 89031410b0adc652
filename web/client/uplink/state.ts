import type { WelcomeLimits } from '../../../signaling/protocol/index.ts'
import type { Carrier } from '../carriers/carrier.ts'
import type { TimerHandle } from '../clock.ts'
import type { PartylineError } from '../errors.ts'

/**
 * | state | it is | goes to |
 * |---|---|---|
 * | `idle` | not started | connecting |
 * | `connecting` | a carrier is opening, which may take `join` along | joining (it opened) · waiting (it did not) · connecting (it took too long) |
 * | `joining` | `join` is said, the welcome awaited | online · connecting (the session is over: join anew) · waiting · closed (refused) |
 * | `online` | frames flow | waiting (the carrier ended or does not answer) · connecting, joining or online (another took its place) · connecting (the session is over) · closed |
 * | `waiting` | no carrier; a timer runs | connecting (at its end, or sooner when the network calls) |
 * | `closed` | over for good, by us or by the server; from every state | nothing |
 */
export type UplinkState =
  | { readonly name: 'idle' }
  | {
      readonly name: 'connecting'
      readonly carrier: Carrier
      readonly sinceMs: number
      /** Of the `join`. */
      readonly id: number
      /** When to try another; absent where nothing is known of the network. */
      readonly timer: TimerHandle | undefined
    }
  | {
      readonly name: 'joining'
      readonly carrier: Carrier
      /** Of its opening. */
      readonly sinceMs: number
      readonly id: number
      readonly timer: TimerHandle
    }
  | {
      readonly name: 'online'
      readonly carrier: Carrier
      readonly sinceMs: number
      readonly limits: WelcomeLimits
      /** The room's own grace period. */
      readonly graceMs: number
    }
  | {
      readonly name: 'waiting'
      /** The server asked for patience until then: the network's calls do not count before. */
      readonly notBeforeMs: number
      readonly timer: TimerHandle
    }
  | { readonly name: 'closed'; readonly error: PartylineError | undefined }

export type UplinkStateName = UplinkState['name']
