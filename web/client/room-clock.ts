import type { Clock } from './clock.ts'

/** At one ping every 5 s, a minute: short enough for the drift of two quartz clocks (some ms an hour) not to matter. */
const WINDOW = 12
/** Two samples that disagree by more than their round trips and this: a clock was set, or this machine slept. */
const SLACK_MS = 50
/** What 24 bits of ms hold: 4.6 hours. */
const WIRE_SPAN = 2 ** 24

interface Sample {
  /** Server clock minus ours, give or take half the round trip. */
  readonly offsetMs: number
  readonly rttMs: number
}

/** The server's clock, as well as it can be known from here: what `room.now()` tells. Never goes backwards. */
export class RoomClock {
  readonly #clock: Clock
  #samples: Sample[] = []
  #best: Sample
  #latestMs = 0

  /** `wallMs` is this machine's own idea of the time, which serves until the first sample. */
  constructor(clock: Clock, wallMs: number) {
    this.#clock = clock
    this.#best = { offsetMs: wallMs - clock.now(), rttMs: Number.POSITIVE_INFINITY }
  }

  /** Forget all samples: the next may come from another server. */
  restart(): void {
    this.#samples = []
  }

  /** An answer that came just now, `rttMs` after its question, in which the server said `serverMs`. */
  sample(serverMs: number, rttMs: number): void {
    const sample = { offsetMs: serverMs + rttMs / 2 - this.#clock.now(), rttMs }
    const disagree = (other: Sample): boolean =>
      Math.abs(other.offsetMs - sample.offsetMs) > (other.rttMs + rttMs) / 2 + SLACK_MS
    this.#samples = [...this.#samples.filter((other) => !disagree(other)).slice(1 - WINDOW), sample]
    this.#best = this.#samples.reduce((best, other) => (other.rttMs <= best.rttMs ? other : best))
  }

  /** ms since 1970 on the server's clock. */
  now(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#clock.now() + this.#best.offsetMs)
    return this.#latestMs
  }
}

/** Room-clock ms as they travel in frames: modulo 2^24. */
export const toWire = (roomMs: number): number => {
  const rest = Math.floor(roomMs) % WIRE_SPAN
  return rest < 0 ? rest + WIRE_SPAN : rest
}

/** The time within 2.3 hours of `nowMs` that travels as `wire`. */
export function fromWire(wire: number, nowMs: number): number {
  const base = Math.floor(nowMs)
  const ahead = toWire(wire - base)
  return base + (ahead < WIRE_SPAN / 2 ? ahead : ahead - WIRE_SPAN)
}
