import {
  type Address,
  envelopeLength,
  type StoreAddress,
  type WelcomeLimits,
  writeEnvelope,
} from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'

/** Waiting here, before the socket. More would only be stale: streams keep what is unacknowledged. */
const QUEUE_BYTES = 262_144
/** Waiting in the socket: 5 ms at 50 MB/s, as long as it takes to look again; 0.2 s at 10 Mbit/s. */
const SOCKET_BYTES = 262_144
/** A WebSocket does not tell when it has drained. */
const LOOK_MS = 5
/** What of the server's limits is used, so that two clocks and bunched-up arrival do not count as going over. */
const SHARE = 0.9

/** What leaves in the place of a frame. */
export interface Sealed {
  readonly to: Address | StoreAddress
  readonly payload: Uint8Array
  /** Not to be replaced by a newer one, though the frame may be. */
  readonly lasting?: boolean
}

/** Turns frames into what the server may see, in the order in which they are given. */
export interface Sealer {
  /** How much larger a frame becomes, at most. What it needs beside that is counted when it is there. */
  readonly overheadBytes: number
  /** Never rejects: a frame that cannot be sealed becomes nothing. */
  seal(address: Address, frame: Uint8Array): readonly Sealed[] | Promise<readonly Sealed[]>
}

export interface OutboxDependencies {
  readonly clock: Clock
  /** Absent: frames leave as they are. */
  sealer?(): Sealer | undefined
  write(packet: Uint8Array): void
  bufferedBytes(): number
  /** There is room again after `add` said no. Never from inside a call of the outbox. */
  writable(): void
}

interface Waiting {
  readonly address: Address | StoreAddress
  frame: Uint8Array
  readonly slot: number | undefined
  readonly key: string | undefined
  bytes: number
  readonly sealed: boolean
}

const asItIs = ({ address, frame }: Waiting): Sealed => ({ to: address, payload: frame })

interface Leaving extends Sealed {
  readonly slot: number | undefined
  readonly bytes: number
}

/** Holds a second's worth: half of the burst that the server allows. */
class Bucket {
  readonly #perMs: number
  readonly #most: number
  level: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perMs = (perSecond * SHARE) / 1_000
    this.#most = perSecond
    this.level = perSecond
    this.#atMs = nowMs
  }

  /** Until `amount` is there; more than it ever holds waits until it is full, and is then overdrawn. */
  waitMs(amount: number, nowMs: number): number {
    this.level = Math.min(this.#most, this.level + (nowMs - this.#atMs) * this.#perMs)
    this.#atMs = nowMs
    return Math.max(0, Math.min(amount, this.#most) - this.level) / this.#perMs
  }
}

interface Open {
  readonly packetBytes: number
  readonly sealer: Sealer | undefined
  /** Chosen, and not written yet. */
  sealingBytes: number
  readonly messages: Bucket
  readonly bytes: Bucket
}

const addressKey = (address: Address | StoreAddress): string =>
  address.kind + ('id' in address ? address.id : 'ids' in address ? address.ids.join() : '')

/**
 * Frames on their way to the server: those of one turn leave in one message, no faster than the server told. Frames
 * are kept by reference until they are packed, so they must not change.
 */
export class Outbox {
  readonly #dependencies: OutboxDependencies
  #open: Open | undefined
  #queue: Waiting[] = []
  readonly #slots = new Map<string, Waiting>()
  #bytes = 0
  #wanted = false
  #scheduled = false
  #timer: TimerHandle | undefined
  #dueMs = 0
  /** Settles when the last that was chosen has been written; absent when nothing is being sealed. */
  #sealing: Promise<void> | undefined

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies
  }

  get queuedBytes(): number {
    return this.#bytes + (this.#open?.sealingBytes ?? 0)
  }

  /** Until what may be sent now has been: it is there as long as frames are being sealed. */
  get sealing(): Promise<void> | undefined {
    return this.#sealing
  }

  open(limits: WelcomeLimits): void {
    const now = this.#dependencies.clock.now()
    this.#open = {
      packetBytes: limits.packetBytes,
      sealer: this.#dependencies.sealer?.(),
      sealingBytes: 0,
      messages: new Bucket(limits.messagesPerSecond, now),
      bytes: new Bucket(limits.bytesPerSecond, now),
    }
    this.#tellRoom()
  }

  /** Drops everything, what is being sealed too, and takes nothing until it is open again. */
  close(): void {
    this.#open = undefined
    this.#sealing = undefined
    this.#queue = []
    this.#slots.clear()
    this.#bytes = 0
    this.#disarm()
  }

  /** False: not taken, because it is closed or full. `writable` will tell. `sealed`: the frame is, already. */
  add(address: Address | StoreAddress, frame: Uint8Array, slot: number | undefined, sealed = false): boolean {
    const bytes = envelopeLength(address, frame.length + (this.#open?.sealer?.overheadBytes ?? 0), slot)
    const key = slot === undefined ? undefined : `${slot} ${addressKey(address)}`
    const before = key === undefined ? undefined : this.#slots.get(key)
    const more = bytes - (before?.bytes ?? 0)
    if (!this.#fits(more)) {
      this.flush()
      // Flushing may have sent the one to be replaced: then there is nothing of its size to reuse.
      if (!this.#fits(bytes)) {
        this.#wanted = true
        return false
      }
      return this.add(address, frame, slot, sealed)
    }
    this.#bytes += more
    if (before !== undefined) {
      before.frame = frame
      before.bytes = bytes
    } else {
      const waiting = { address, frame, slot, key, bytes, sealed }
      this.#queue.push(waiting)
      if (key !== undefined) this.#slots.set(key, waiting)
    }
    this.#schedule()
    return true
  }

  /** A control message went ahead: the server counts it too. */
  spend(bytes: number): void {
    if (this.#open === undefined) return
    this.#open.messages.level -= 1
    this.#open.bytes.level -= bytes
  }

  /** Send what may be sent now. */
  flush(): void {
    this.#scheduled = false
    this.#disarm()
    while (this.#open !== undefined) {
      const first = this.#queue[0]
      if (first === undefined) break
      const waitMs = this.#waitMs(this.#open, first.bytes)
      if (waitMs > 0) {
        this.#dueMs = this.#dependencies.clock.now() + waitMs
        this.#timer = this.#dependencies.clock.setTimeout(() => this.flush(), Math.ceil(waitMs))
        break
      }
      this.#ship(this.#open, this.#choose(this.#open))
    }
    this.#tellRoom()
  }

  #fits(more: number): boolean {
    // One frame always finds room in an empty queue.
    return this.#open !== undefined && (this.#bytes + more <= QUEUE_BYTES || this.#bytes === 0)
  }

  #waitMs(open: Open, firstBytes: number): number {
    const now = this.#dependencies.clock.now()
    const before = this.#before(open)
    const socketMs = before + firstBytes > SOCKET_BYTES && before > 0 ? LOOK_MS : 0
    return Math.max(socketMs, open.messages.waitMs(1, now), open.bytes.waitMs(firstBytes, now))
  }

  /** Bytes on their way to the network. */
  #before(open: Open): number {
    return this.#dependencies.bufferedBytes() + open.sealingBytes
  }

  /** What goes in the next message. */
  #choose(open: Open): readonly Waiting[] {
    const room = Math.min(open.packetBytes, open.bytes.level, SOCKET_BYTES - this.#before(open))
    let size = 0
    let count = 0
    for (const { bytes } of this.#queue) {
      if (count > 0 && size + bytes > room) break
      size += bytes
      count += 1
    }
    const chosen = this.#queue.splice(0, count)
    for (const { key } of chosen) if (key !== undefined) this.#slots.delete(key)
    this.#bytes -= size
    open.messages.level -= 1
    open.bytes.level -= size
    return chosen
  }

  #ship(open: Open, chosen: readonly Waiting[]): void {
    const { sealer } = open
    if (sealer === undefined) {
      this.#write(
        open,
        chosen.map((one) => ({ ...asItIs(one), slot: one.slot, bytes: one.bytes })),
      )
      return
    }
    const sealing = this.#seal(open, sealer, chosen, this.#sealing)
    this.#sealing = sealing
    void sealing.then(() => {
      if (this.#sealing === sealing) this.#sealing = undefined
    })
  }

  async #seal(open: Open, sealer: Sealer, chosen: readonly Waiting[], before: Promise<void> | undefined) {
    const size = chosen.reduce((sum, { bytes }) => sum + bytes, 0)
    open.sealingBytes += size
    const ready = await Promise.all(
      chosen.map((one) => (one.sealed ? [asItIs(one)] : sealer.seal(one.address as Address, one.frame))),
    )
    await before
    // Lost with its carrier: streams send again what matters.
    if (this.#open !== open) return
    open.sealingBytes -= size
    const leaving = ready.flatMap((parts, index) =>
      parts.map(({ to, payload, lasting }) => {
        const slot = lasting ? undefined : chosen[index]?.slot
        return { to, payload, slot, bytes: envelopeLength(to, payload.length, slot) }
      }),
    )
    open.bytes.level -= this.#write(open, leaving) - size
    // It may be that what is next waited for nothing else.
    this.flush()
  }

  /** One message, and more only where it came out larger than a message may be. Returns the bytes of them all. */
  #write(open: Open, leaving: readonly Leaving[]): number {
    let total = 0
    for (let from = 0; from < leaving.length; ) {
      let size = 0
      let to = from
      for (let part = leaving[to]; part !== undefined; to += 1, part = leaving[to]) {
        if (to > from && size + part.bytes > open.packetBytes) break
        size += part.bytes
      }
      const packet = new Uint8Array(size)
      let at = 0
      for (const part of leaving.slice(from, to)) at = writeEnvelope(packet, at, part.to, part.payload, part.slot)
      this.#dependencies.write(packet)
      if (from > 0) open.messages.level -= 1
      total += size
      from = to
    }
    return total
  }

  #schedule(): void {
    // While the pace is held, its timer is what goes next; a hidden tab's may be late by a minute.
    if (this.#scheduled || (this.#timer !== undefined && this.#dependencies.clock.now() < this.#dueMs)) return
    this.#scheduled = true
    queueMicrotask(() => {
      if (this.#scheduled) this.flush()
    })
  }

  /** Half of it, so that those who wait do not fill one place at a time. */
  #tellRoom(): void {
    if (!this.#wanted || this.#open === undefined || this.#bytes > QUEUE_BYTES / 2) return
    this.#wanted = false
    queueMicrotask(() => this.#dependencies.writable())
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#dependencies.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
