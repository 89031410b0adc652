import type { Clock, Timer } from '../clock.ts'
import type { ServerMessage } from '../protocol/control.ts'
import type { PeerId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'

export type DropReason = Extract<ServerMessage, { t: 'dropped' }>['reason']

interface Tally {
  readonly to: Set<PeerId>
  frames: number
  /** The frame counted last: one frame that misses many receivers counts once. */
  lastFrame: number
}

const newTally = (): Tally => ({ to: new Set(), frames: 0, lastFrame: -1 })

/**
 * Tells one sender what did not arrive: at most one message per reason in `dropReportMs`, the first soon after the
 * drop. Names at most `LIMITS.envelopeIds` receivers; a client that sends to more unknown ids than that is told so many.
 */
export class DropReports {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #send: (message: ServerMessage) => void
  #tallies: Map<DropReason, Tally> | undefined
  #timer: Timer | undefined
  #sentAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, everyMs: number, send: (message: ServerMessage) => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#send = send
  }

  /** `frame` is any number that tells this frame from the one before. `to`: undefined names nobody. */
  add(to: PeerId | undefined, reason: DropReason, frame: number): void {
    this.#tallies ??= new Map()
    let tally = this.#tallies.get(reason)
    if (tally === undefined) {
      tally = newTally()
      this.#tallies.set(reason, tally)
    }
    if (tally.lastFrame !== frame) {
      tally.lastFrame = frame
      tally.frames += 1
    }
    if (to !== undefined && tally.to.size < LIMITS.envelopeIds) tally.to.add(to)
    if (this.#timer !== undefined) return
    const sinceMs = this.#clock.nowMs() - this.#sentAtMs
    const waitMs = sinceMs >= 0 ? Math.max(0, this.#everyMs - sinceMs) : this.#everyMs
    this.#timer = this.#clock.setTimeout(() => this.#report(), waitMs)
  }

  /** The sender is gone: nobody to tell. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#tallies = undefined
  }

  #report(): void {
    const tallies = this.#tallies ?? []
    this.#timer = undefined
    this.#tallies = undefined
    this.#sentAtMs = this.#clock.nowMs()
    for (const [reason, { to, frames }] of tallies) this.#send({ t: 'dropped', to: [...to], frames, reason })
  }
}
