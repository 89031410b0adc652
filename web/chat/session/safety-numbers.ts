import type { PeerId, Room } from 'partyline'
import { Cell, type Watchable } from '../../ui/cell.ts'

/** The safety numbers of those who are here, asked for when they are wanted. Who left has none, whoever comes under its id. */
export class SafetyNumbers {
  readonly #room: Pick<Room, 'peers'>
  readonly #known = new Cell<ReadonlyMap<PeerId, string>>(new Map())
  readonly #asked = new Map<PeerId, object>()

  constructor(room: Pick<Room, 'peers'>) {
    this.#room = room
  }

  get known(): Watchable<ReadonlyMap<PeerId, string>> {
    return this.#known
  }

  /** It may not be there yet: ask again. */
  async want(id: PeerId): Promise<void> {
    const peer = this.#room.peers.get(id)
    if (peer === undefined || this.#asked.has(id)) return
    const question = {}
    this.#asked.set(id, question)
    const number = await peer.safetyNumber
    // It left meanwhile: this is nobody's number now.
    if (this.#asked.get(id) !== question) return
    if (number === undefined) this.#asked.delete(id)
    else this.#known.value = new Map(this.#known.value).set(id, number)
  }

  gone(id: PeerId): void {
    this.#asked.delete(id)
    const known = new Map(this.#known.value)
    if (known.delete(id)) this.#known.value = known
  }
}
