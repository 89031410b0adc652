/**
 * Which carrier to use on this network. The best that opens wins: each has a head start before the next is tried beside
 * it, what does not work here is remembered for a while, and whoever is on a lesser one climbs back up, unless that is
 * measured to be clearly quicker.
 */
import { CLOSE } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import type { CarrierKind } from '../face.ts'
import { type Carrier, type CarrierEvents, type OpenCarrier, UNREACHABLE } from './carrier.ts'

/** From best to worst. */
export const CARRIER_KINDS: readonly CarrierKind[] = ['websocket', 'sse', 'long-poll', 'short-poll']

/** A WebSocket opens in four round trips; beyond this it is being held up. */
const HEAD_START_MS = 1_500
/** What did not work on this network is not the first choice for so long. */
const BAD_MS = 600_000
/** A carrier that dies sooner than this did not work. */
const PROVEN_MS = 15_000
/** Somebody who leaves a carrier by which nothing came for so long takes it for dead: pings are answered every 5 s. */
const SILENT_MS = 5_500
/** One that has worked here and does not open: more likely, the server is away. */
const WORKED_FAILURES = 3
/** Once may be the server's own death. */
const EARLY_DEATHS = 2
const FIRST_CLIMB_MS = 15_000
const LONGEST_CLIMB_MS = 300_000
/** Round trips by which a carrier is judged; the first is a guess from its opening. They take some 10 s. */
const JUDGED_BY = 4
/** Slower: its shortest round trip is longer than another's by this factor and this time. Polls and TLS cost less. */
const SLOWER = 2
const SLOWER_MS = 50
/** A carrier that lasted for so long: what fails from now on fails anew. */
const LASTING_MS = 60_000

export interface ChoiceWorld {
  readonly carriers: Readonly<Record<CarrierKind, OpenCarrier>>
  /** ms since 1970. */
  wallMs(): number
  /** Outlives the page; undefined where there is none. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | undefined
}

/** The way up from a lesser carrier. */
export interface Climb {
  readonly inMs: number
  readonly open: OpenCarrier
}

interface Measured {
  readonly count: number
  readonly leastMs: number
  /** The last of them, on the wall clock. */
  readonly atMs: number
}

interface Attempt {
  readonly kinds: readonly CarrierKind[]
  readonly headStartMs: number
  /** Beside a carrier in use. */
  readonly climbing: boolean
  /** Whether the way goes on after a failure. */
  passed(kind: CarrierKind): boolean
}

export class CarrierChoice {
  readonly #allowed: readonly CarrierKind[]
  readonly #world: ChoiceWorld
  #key = ''
  /** Until when, on the wall clock, a carrier counts as not working here. */
  #bad: Partial<Record<CarrierKind, number>> = {}
  readonly #worked = new Set<CarrierKind>()
  readonly #failures = new Map<CarrierKind, number>()
  readonly #deaths = new Map<CarrierKind, number>()
  /** When each was first tried since one opened. */
  readonly #triedAtMs = new Map<CarrierKind, number>()
  readonly #measured = new Map<CarrierKind, Measured>()
  /** Until when, on the wall clock, none climbs to a carrier that was slower than a lesser one. */
  readonly #slow = new Map<CarrierKind, number>()
  #climbMs = FIRST_CLIMB_MS

  constructor(allowed: readonly CarrierKind[], world: ChoiceWorld) {
    this.#allowed = CARRIER_KINDS.filter((kind) => allowed.includes(kind))
    this.#world = world
  }

  /** The best carrier that opens. */
  readonly open: OpenCarrier = (server, first, events, clock, plain) => {
    this.#load(server)
    const nowMs = this.#world.wallMs()
    const good = this.#allowed.filter((kind) => !this.#isBad(kind, nowMs))
    const kinds = [...good, ...this.#allowed.filter((kind) => this.#isBad(kind, nowMs))]
    const passed = (kind: CarrierKind): boolean =>
      (this.#failures.get(kind) ?? 0) >= (this.#worked.has(kind) ? WORKED_FAILURES : 1)
    const attempt = { kinds, headStartMs: HEAD_START_MS, climbing: false, passed }
    return new Ladder(this, this.#world.carriers, attempt, [server, first, events, clock, plain])
  }

  /** Undefined on the best there is. */
  better(kind: CarrierKind): Climb | undefined {
    const kinds = this.#allowed.slice(0, this.#allowed.indexOf(kind))
    if (kinds.length === 0) return undefined
    const nowMs = this.#world.wallMs()
    const quick = kinds.filter((one) => nowMs >= (this.#slow.get(one) ?? 0))
    return quick.length > 0 ? this.#climb(quick, this.#climbMs) : this.#climb(kinds, BAD_MS)
  }

  /** A round trip by the carrier in use. The way to a lesser one, at once, when that was clearly quicker here. */
  measured(kind: CarrierKind, rttMs: number): Climb | undefined {
    const { count = 0, leastMs = rttMs } = this.#measured.get(kind) ?? {}
    const atMs = this.#world.wallMs()
    const own = { count: count + 1, leastMs: Math.min(leastMs, rttMs), atMs }
    this.#measured.set(kind, own)
    const quicker = this.#allowed.slice(this.#allowed.indexOf(kind) + 1).find((other) => {
      const known = this.#measured.get(other)
      if (known === undefined || known.count < JUDGED_BY || atMs - known.atMs > BAD_MS) return false
      return own.leastMs > SLOWER * known.leastMs + SLOWER_MS
    })
    if (quicker === undefined || own.count < JUDGED_BY) return undefined
    this.avoid([kind])
    this.#slow.set(kind, atMs + BAD_MS)
    // Once: it may not work any more.
    this.#measured.delete(quicker)
    return this.#climb([quicker], 0)
  }

  #climb(kinds: readonly CarrierKind[], inMs: number): Climb {
    // One after the other, and none may take the session before it is open: what is in use works.
    const attempt = { kinds, headStartMs: Number.POSITIVE_INFINITY, climbing: true, passed: () => true }
    const open: OpenCarrier = (server, first, events, clock) => {
      this.#climbMs = Math.min(LONGEST_CLIMB_MS, 2 * this.#climbMs)
      return new Ladder(this, this.#world.carriers, attempt, [server, first, events, clock, true])
    }
    return { inMs, open }
  }

  /** The network is another one, perhaps: nothing is known of it. */
  changed(): void {
    this.#bad = {}
    this.#climbMs = FIRST_CLIMB_MS
    this.#failures.clear()
    this.#deaths.clear()
    this.#triedAtMs.clear()
    this.#measured.clear()
    this.#slow.clear()
    this.#save()
  }

  /** When its head start began. */
  tried(kind: CarrierKind, nowMs: number): number {
    const since = this.#triedAtMs.get(kind) ?? nowMs
    this.#triedAtMs.set(kind, since)
    return since
  }

  failed(kind: CarrierKind): void {
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1)
  }

  /** They do not work here. */
  avoid(kinds: readonly CarrierKind[]): void {
    const untilMs = this.#world.wallMs() + BAD_MS
    for (const kind of kinds) {
      this.#bad[kind] = untilMs
      this.#worked.delete(kind)
    }
    this.#save()
  }

  /** `passedOver`: better ones that were tried, and did not open. */
  opened(kind: CarrierKind, passedOver: readonly CarrierKind[]): void {
    this.#worked.add(kind)
    this.#measured.delete(kind)
    this.#failures.clear()
    this.#triedAtMs.clear()
    delete this.#bad[kind]
    this.avoid(passedOver)
  }

  /** It was open for so long. `died`: by the network, not by anybody's will. */
  ended(kind: CarrierKind, died: boolean, openMs: number): void {
    if (openMs >= LASTING_MS) this.#climbMs = FIRST_CLIMB_MS
    if (openMs >= PROVEN_MS) this.#deaths.delete(kind)
    else if (died) {
      const deaths = (this.#deaths.get(kind) ?? 0) + 1
      this.#deaths.set(kind, deaths)
      if (deaths >= EARLY_DEATHS) this.avoid([kind])
    }
  }

  #isBad(kind: CarrierKind, nowMs: number): boolean {
    const untilMs = this.#bad[kind] ?? 0
    return nowMs < untilMs && untilMs <= nowMs + BAD_MS
  }

  #load(server: URL): void {
    if (this.#key !== '') return
    this.#key = `partyline.carriers ${server.origin}`
    try {
      this.#bad = JSON.parse(this.#world.storage?.getItem(this.#key) ?? '{}') ?? {}
    } catch {
      // Not ours, or not allowed.
    }
  }

  #save(): void {
    try {
      if (this.#key !== '') this.#world.storage?.setItem(this.#key, JSON.stringify(this.#bad))
    } catch {
      // Full, or not allowed.
    }
  }
}

/** One carrier to its user: several are opened, each beside those before it, until one is open. */
class Ladder implements Carrier {
  readonly #choice: CarrierChoice
  readonly #carriers: ChoiceWorld['carriers']
  readonly #attempt: Attempt
  readonly #given: Parameters<OpenCarrier>
  readonly #tried: CarrierKind[] = []
  readonly #pending = new Map<CarrierKind, Carrier>()
  #winner: Carrier | undefined
  #openedAtMs = 0
  #heardAtMs = 0
  #over = false
  #timer: TimerHandle | undefined

  constructor(
    choice: CarrierChoice,
    carriers: ChoiceWorld['carriers'],
    attempt: Attempt,
    given: Parameters<OpenCarrier>,
  ) {
    this.#choice = choice
    this.#carriers = carriers
    this.#attempt = attempt
    this.#given = given
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
    events.opened(!plain && kind !== this.#tried[0])
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
