import { LIMITS, type PeerId, ProtocolError } from '../../../signaling/protocol/index.ts'
import type { RoomMessage, Welcome } from './contract.ts'

/** Whom the server lists, counted as it says so: whatever it makes up, no more are handed on than a room can have. */
export class Listed {
  #ids = new Set<PeerId>()

  /** @throws ProtocolError when they are more */
  take(message: Welcome | RoomMessage): void {
    // Of such a list, its reader knows how many it may have.
    if (message.t === 'welcome' || message.t === 'snapshot') this.#ids = new Set(message.members.map(({ id }) => id))
    else if (message.t === 'left') this.#ids.delete(message.id)
    else if (message.t === 'joined' && this.#ids.add(message.member.id).size > LIMITS.listedMembers)
      throw new ProtocolError('member', `expected at most ${LIMITS.listedMembers} in a room`)
  }
}
