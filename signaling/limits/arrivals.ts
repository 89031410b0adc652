import { AddressWork } from './address-work.ts'

/** Members of one address, the away ones included, for each connection it may have: all of them may have come back anew. */
const MEMBERS_PER_CONNECTION = 2
/** Arrivals in a burst, for each connection: all at once, and all once more after a hiccup. */
const BURST_PER_CONNECTION = 2
/** A burst is earned again in so long: the default of 512 connections gives 51 arrivals a second. */
const REFILL_MS = 20_000

interface Arrived {
  members: number
  /** What is left of the burst, as of `atMs`. */
  left: number
  atMs: number
  /** Whoever comes while it is remembered goes on with it. */
  work: AddressWork | undefined
}

/**
 * Who may enter rooms from one address. Connections alone bound little: a member whose connection is dropped stays for
 * its grace period and takes a room or a place, and one who joins and leaves without end is told to the whole room each
 * time. Both limits follow from `connectionsPerAddress`.
 */
export class Arrivals {
  #most = 0
  #burst = 0
  readonly #clock: { nowMs(): number }
  readonly #addresses = new Map<string, Arrived>()
  #sweptMs: number

  constructor(connectionsPerAddress: number, clock: { nowMs(): number }) {
    this.allow(connectionsPerAddress)
    this.#clock = clock
    this.#sweptMs = clock.nowMs()
  }

  /** From now on. Who is in stays. */
  allow(connectionsPerAddress: number): void {
    this.#most = connectionsPerAddress * MEMBERS_PER_CONNECTION
    this.#burst = connectionsPerAddress * BURST_PER_CONNECTION
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#addresses.size
  }

  /** A new member; false, and nothing counted, when the address has all it may, or was too quick. */
  enter(group: string): boolean {
    const arrived = this.#of(group)
    if (arrived.members >= this.#most || !this.#take(arrived)) return false
    arrived.members += 1
    return true
  }

  /** A member that is known came back by another uplink; false when too many did. */
  comeBack(group: string): boolean {
    return this.#take(this.#of(group))
  }

  /** What its members may make the server do together; `deliveriesPerSecond` is what one may. */
  work(group: string, deliveriesPerSecond: number): AddressWork {
    const arrived = this.#of(group)
    arrived.work ??= new AddressWork(deliveriesPerSecond, () => arrived.members, this.#clock.nowMs())
    return arrived.work
  }

  exit(group: string): void {
    const arrived = this.#addresses.get(group)
    if (arrived !== undefined) arrived.members -= 1
  }

  #take(arrived: Arrived): boolean {
    if (arrived.left < 1) return false
    arrived.left -= 1
    return true
  }

  #of(group: string): Arrived {
    const nowMs = this.#clock.nowMs()
    this.#sweep(nowMs)
    const arrived = this.#addresses.get(group)
    if (arrived === undefined) {
      const fresh: Arrived = { members: 0, left: this.#burst, atMs: nowMs, work: undefined }
      this.#addresses.set(group, fresh)
      return fresh
    }
    // A clock set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - arrived.atMs)
    arrived.left = Math.min(this.#burst, arrived.left + (elapsedMs / REFILL_MS) * this.#burst)
    arrived.atMs = nowMs
    return arrived
  }

  /** Forget addresses without members whose burst is whole again; rarely, since it looks at all. */
  #sweep(nowMs: number): void {
    if (nowMs >= this.#sweptMs && nowMs - this.#sweptMs < REFILL_MS) return
    this.#sweptMs = nowMs
    for (const [group, { members, atMs }] of this.#addresses) {
      if (members === 0 && Math.abs(nowMs - atMs) >= REFILL_MS) this.#addresses.delete(group)
    }
  }
}
