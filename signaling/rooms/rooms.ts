import { type FillRandom, randomHex } from '../protocol/ids.ts'
import { Room, type RoomMember } from './room.ts'

const EPOCH_BYTES = 8

/** The rooms of this server. A room is there as long as somebody is in it. */
export class Rooms<M extends RoomMember> {
  #most: number
  readonly #random: FillRandom
  readonly #rooms = new Map<string, Room<M>>()

  constructor(most: number, random: FillRandom) {
    this.#most = most
    this.#random = random
  }

  get size(): number {
    return this.#rooms.size
  }

  /** From now on. Rooms that are open stay. */
  allow(most: number): void {
    this.#most = most
  }

  get(name: string): Room<M> | undefined {
    return this.#rooms.get(name)
  }

  /** Make a room, for the one who is about to enter it; undefined when the server has all it may. */
  open(name: string): Room<M> | undefined {
    if (this.#rooms.size >= this.#most) return undefined
    const room = new Room<M>(name, randomHex(EPOCH_BYTES, this.#random))
    this.#rooms.set(name, room)
    return room
  }

  /** Forget the room if it is empty. */
  release(room: Room<M>): void {
    if (room.size === 0 && this.#rooms.get(room.name) === room) this.#rooms.delete(room.name)
  }

  all(): IterableIterator<Room<M>> {
    return this.#rooms.values()
  }

  clear(): void {
    this.#rooms.clear()
  }
}
