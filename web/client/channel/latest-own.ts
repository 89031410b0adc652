import { encodeLatest, type LatestFrame, LIMITS, type PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'

/** The last value before silence goes out twice more, this long after it and after the first repeat. */
const REPEAT_MS = [50, 150] as const
/** Values whose repeats are due; only a burst of values for single members gets here, and the oldest lose theirs. */
const MOST_REPEATING = 4 * LIMITS.latestKeys
/** What a newcomer gets at once, and again after each pause, of the values that stand in the room. */
const CATCH_UP_BYTES = 65_536
const CATCH_UP_MS = 50
/** Before a newcomer gets them again, because a path may have lost some. */
const CATCH_UP_AGAIN_MS = 200

export interface OwnValuesPort {
  readonly clock: Clock
  /** Sends a droppable frame, to everyone here or to those of `to` who are. */
  transmit(frame: Uint8Array, slot: number, to: readonly PeerId[] | undefined): void
}

interface OwnValue {
  readonly frame: Uint8Array
  readonly slot: number
  readonly to: readonly PeerId[] | undefined
  dueAtMs: number
  repeats: number
}

interface Key {
  readonly slot: number
  /** What stands for the whole room. */
  room: OwnValue | undefined
}

interface Newcomer {
  keys: Iterator<Key>
  dueAtMs: number
  again: boolean
}

/** This member's own values: sent, repeated, and given to newcomers. One timer for all. */
export class OwnValues {
  readonly #port: OwnValuesPort
  readonly #keys = new Map<string, Key>()
  readonly #repeating = new Map<string, OwnValue>()
  readonly #newcomers = new Map<PeerId, Newcomer>()
  #counter: number
  #timer: TimerHandle | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  /** `counter`: of the value before the first. */
  constructor(port: OwnValuesPort, counter = 0) {
    this.#port = port
    this.#counter = counter
  }

  /** @throws PartylineError `bad-argument` beyond `LIMITS.latestKeys` keys, over all channels */
  set(value: Omit<LatestFrame, 'counter' | 'audience'>, to: readonly PeerId[] | undefined): void {
    const name = `${value.channel}\n${value.key}`
    let key = this.#keys.get(name)
    if (key === undefined) {
      if (this.#keys.size >= LIMITS.latestKeys) {
        throw new PartylineError('bad-argument', `More than ${LIMITS.latestKeys} keys: use a key again`)
      }
      // Slots are numbers in turn rather than hashes, so that no two keys ever push each other out of a queue.
      key = { slot: this.#keys.size, room: undefined }
      this.#keys.set(name, key)
    }
    this.#counter = (this.#counter + 1) >>> 0
    const frame = encodeLatest({ ...value, counter: this.#counter, audience: to === undefined ? 'room' : 'unicast' })
    const dueAtMs = this.#port.clock.now() + REPEAT_MS[0]
    const own = { frame, slot: key.slot, to, dueAtMs, repeats: 0 }
    if (to === undefined) key.room = own
    this.#repeating.set(to === undefined ? name : `${to}\n${name}`, own)
    const first = this.#repeating.keys().next().value
    if (this.#repeating.size > MOST_REPEATING && first !== undefined) this.#repeating.delete(first)
    this.#wakeAt(dueAtMs)
    this.#transmit(own)
  }

  /** A member's link came up: it gets what stands in the room. */
  memberJoined(id: PeerId): void {
    this.#newcomers.set(id, { keys: this.#keys.values(), dueAtMs: 0, again: true })
    this.#work()
  }

  memberLeft(id: PeerId): void {
    this.#newcomers.delete(id)
  }

  close(): void {
    if (this.#timer !== undefined) this.#port.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#repeating.clear()
    this.#newcomers.clear()
  }

  #transmit(value: OwnValue, to = value.to): void {
    this.#port.transmit(value.frame, value.slot, to)
  }

  /** A timer that is set may fire too early, after newer values; it is never too late. */
  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerAtMs) return
    const { clock } = this.#port
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = clock.setTimeout(() => this.#work(), Math.max(0, atMs - clock.now()))
  }

  #work(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#port.clock.now()
    for (const [name, value] of this.#repeating) {
      if (value.dueAtMs <= nowMs) {
        this.#transmit(value)
        value.repeats += 1
        value.dueAtMs = nowMs + REPEAT_MS[1]
        if (value.repeats === REPEAT_MS.length) this.#repeating.delete(name)
      }
    }
    for (const [id, newcomer] of this.#newcomers) {
      if (newcomer.dueAtMs <= nowMs && !this.#catchUp(id, newcomer, nowMs)) this.#newcomers.delete(id)
    }
    for (const { dueAtMs } of this.#repeating.values()) this.#wakeAt(dueAtMs)
    for (const { dueAtMs } of this.#newcomers.values()) this.#wakeAt(dueAtMs)
  }

  /** Whether there is more for this newcomer later. The keys' iterator also meets those that are set meanwhile. */
  #catchUp(id: PeerId, newcomer: Newcomer, nowMs: number): boolean {
    let bytes = 0
    newcomer.dueAtMs = nowMs + CATCH_UP_MS
    while (bytes < CATCH_UP_BYTES) {
      const { value: key, done } = newcomer.keys.next()
      if (done) {
        const { again } = newcomer
        newcomer.keys = this.#keys.values()
        newcomer.again = false
        newcomer.dueAtMs = nowMs + CATCH_UP_AGAIN_MS
        return again && this.#keys.size > 0
      }
      if (key.room === undefined) continue
      this.#transmit(key.room, [id])
      bytes += key.room.frame.length
    }
    return true
  }
}
