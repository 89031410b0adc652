import { type PeerId, parsePeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'

/**
 * What an application gave as `to`: each member once; `undefined` is everyone.
 * @throws PartylineError `bad-argument` on what is no peer id
 */
export function receivers(to: PeerId | readonly PeerId[] | undefined): readonly PeerId[] | undefined {
  if (to === undefined) return undefined
  try {
    return [...new Set(Array.isArray(to) ? to : [to])].map((id) => parsePeerId(id, 'to'))
  } catch (cause) {
    throw new PartylineError('bad-argument', (cause as Error).message, { cause })
  }
}
