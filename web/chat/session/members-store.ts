import type { PeerId, Room } from 'partyline'
import { Cell, type Watchable } from '../../ui/cell.ts'
import { type ChatProfile, inOrder, type Member, memberFrom, nameFrom } from '../model/member.ts'
import { type RoundTripSample, withSample } from '../model/round-trips.ts'
import type { Environment } from './environment.ts'

/** The others in the room, what they were called, and how long the way to each has been. */
export class MembersStore {
  readonly #room: Room<ChatProfile>
  readonly #environment: Environment
  readonly #members = new Cell<readonly Member[]>([])
  /** Those who left too: what they said stays under their name. */
  readonly #names = new Cell<ReadonlyMap<PeerId, string>>(new Map())
  readonly #samples = new Cell<ReadonlyMap<PeerId, readonly RoundTripSample[]>>(new Map())

  constructor(room: Room<ChatProfile>, environment: Environment) {
    this.#room = room
    this.#environment = environment
    this.refresh()
  }

  get members(): Watchable<readonly Member[]> {
    return this.#members
  }

  get names(): Watchable<ReadonlyMap<PeerId, string>> {
    return this.#names
  }

  get samples(): Watchable<ReadonlyMap<PeerId, readonly RoundTripSample[]>> {
    return this.#samples
  }

  readonly nameOf = (id: PeerId): string => this.#names.value.get(id) ?? nameFrom(undefined, id)

  /** The room's members changed. */
  refresh(): void {
    const members = inOrder([...this.#room.peers.values()].map(memberFrom))
    this.#members.value = members
    const renamed = members.filter((member) => this.#names.value.get(member.id) !== member.name)
    if (renamed.length === 0) return
    const names = new Map(this.#names.value)
    for (const member of renamed) names.set(member.id, member.name)
    this.#names.value = names
  }

  /** Once a second: round-trip times change without an event. */
  tick(): void {
    this.refresh()
    const atMs = this.#environment.now()
    this.#samples.value = new Map(
      this.#members.value.map(({ id, path }) => [
        id,
        withSample(this.#samples.value.get(id) ?? [], { atMs, path, rttMs: this.#room.peers.get(id)?.rttMs }),
      ]),
    )
  }
}
