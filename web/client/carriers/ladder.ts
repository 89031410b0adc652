import { CLOSE } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import type { CarrierKind } from '../face.ts'
import { type Carrier, type CarrierEvents, type OpenCarrier, UNREACHABLE } from './carrier.ts'

/** Somebody who leaves a carrier by which nothing came for so long takes it for dead: pings are answered every 5 s. */
const SILENT_MS = 5_500

export interface Attempt {
  readonly kinds: readonly CarrierKind[]
  readonly headStartMs: number
  /** Beside a carrier in use. */
  readonly climbing: boolean
  /** Whether the way goes on after a failure. */
  passed(kind: CarrierKind): boolean
}

/** Keeps what is learned of carriers on this network. */
export interface LadderKeeper {
  /** When its head start began. */
  tried(kind: CarrierKind, nowMs: number): number
  failed(kind: CarrierKind): void
  avoid(kinds: readonly CarrierKind[]): void
  opened(kind: CarrierKind, passedOver: readonly CarrierKind[]): void
  ended(kind: CarrierKind, died: boolean, openMs: number): void
}

/** One carrier to its user: several are opened, each beside those before it, until one is open. */
export class Ladder implements Carrier {
  readonly #choice: LadderKeeper
  readonly #carriers: Readonly<Record<CarrierKind, OpenCarrier>>
  #attempt: Attempt
  readonly #given: Parameters<OpenCarrier>
  #tried: CarrierKind[] = []
  readonly #pending = new Map<CarrierKind, Carrier>()
  #winner: Carrier | undefined
  #openedAtMs = 0
  #heardAtMs = 0
  #over = false
  /** The first of another order took the join along, and may be heard. */
  #again = false
  #timer: TimerHandle | undefined

  constructor(
    choice: LadderKeeper,
    carriers: Readonly<Record<CarrierKind, OpenCarrier>>,
    attempt: Attempt,
    given: Parameters<OpenCarrier>,
  ) {
    this.#choice = choice
    this.#carriers = carriers
    this.#attempt = attempt
    this.#given = given
    this.#next()
  }

  /** Nothing has opened yet, and another order is better. */
  startOver(attempt: Attempt): void {
    this.#settle()
    this.#again = !this.#given[4]
    this.#attempt = attempt
    this.#tried = []
    this.#next()
  }

  get kind(): CarrierKind {
    return this.#winner?.kind ?? this.#tried[0] ?? 'websocket'
  }

  send(message: string | Uint8Array): boolean {
    return this.#winner?.send(message) ?? false
  }

  bufferedBytes(): number {
    return this.#winner?.bufferedBytes() ?? 0
  }

  close(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#settle()
    this.#winner?.close(code, reason)
    this.#ended(this.#clock.now() - this.#heardAtMs > SILENT_MS)
  }

  get #clock(): Clock {
    return this.#given[3]
  }

  /** Open the next, and those after it whose time has come. */
  #next(): void {
    const kind = this.#attempt.kinds[this.#tried.length]
    if (kind === undefined) return
    const [server, first, , clock, plain] = this.#given
    const leads = this.#tried.length === 0
    this.#tried.push(kind)
    const sinceMs = this.#attempt.climbing ? clock.now() : this.#choice.tried(kind, clock.now())
    // Those beside the first bring the join only when they are open: only one of them may take the session.
    this.#pending.set(kind, this.#carriers[kind](server, first, this.#eventsOf(kind), clock, plain || !leads))
    const waitMs = sinceMs + this.#attempt.headStartMs - clock.now()
    if (waitMs <= 0) this.#next()
    else if (Number.isFinite(waitMs)) this.#arm(waitMs)
  }

  #arm(waitMs: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = this.#clock.setTimeout(() => this.#next(), waitMs)
  }

  #eventsOf(kind: CarrierKind): CarrierEvents {
    const events = this.#given[2]
    return {
      opened: () => this.#opened(kind),
      text: (text) => {
        this.#heardAtMs = this.#clock.now()
        events.text(text)
      },
      binary: (bytes) => {
        this.#heardAtMs = this.#clock.now()
        events.binary(bytes)
      },
      closed: (code, reason) => {
        if (this.#over) return
        if (this.#winner === undefined) this.#failed(kind, code, reason)
        else {
          this.#over = true
          // Other codes are the server's.
          this.#ended(code === 1006)
          events.closed(code, reason)
        }
      },
    }
  }

  #opened(kind: CarrierKind): void {
    this.#winner = this.#pending.get(kind)
    this.#pending.delete(kind)
    this.#settle()
    this.#openedAtMs = this.#clock.now()
    this.#heardAtMs = this.#openedAtMs
    this.#choice.opened(kind, this.#tried.slice(0, this.#tried.indexOf(kind)))
    const [, , events, , plain] = this.#given
    // Unless asked not to, the first took the join along.
    events.opened(this.#again || (!plain && kind !== this.#tried[0]))
  }

  #failed(kind: CarrierKind, code: number, reason: string): void {
    this.#pending.delete(kind)
    if (!this.#attempt.climbing) this.#choice.failed(kind)
    else if (reason !== UNREACHABLE) this.#choice.avoid([kind])
    const goesOn = reason !== UNREACHABLE && this.#attempt.passed(kind)
    if (goesOn && this.#tried.at(-1) === kind) this.#next()
    if (this.#pending.size > 0) return
    this.#over = true
    this.#settle()
    this.#given[2].closed(code, reason)
  }

  /** Nothing else is opened any more. */
  #settle(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const carrier of this.#pending.values()) carrier.close(CLOSE.normal, '')
    this.#pending.clear()
  }

  #ended(died: boolean): void {
    if (this.#winner !== undefined) this.#choice.ended(this.#winner.kind, died, this.#clock.now() - this.#openedAtMs)
  }
}
