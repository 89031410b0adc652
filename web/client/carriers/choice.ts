/**
 * Which carrier to use on this network. The best that opens wins: each has a head start before the next is tried beside
 * it, what does not work here is remembered for a while, and whoever is on a lesser one climbs back up, unless that is
 * measured to be clearly quicker.
 */
import type { CarrierKind } from '../face.ts'
import type { OpenCarrier } from './carrier.ts'
import { Ladder } from './ladder.ts'

/** From best to worst. */
export const CARRIER_KINDS: readonly CarrierKind[] = ['websocket', 'sse', 'long-poll', 'short-poll']

/** A WebSocket opens in four round trips; beyond this it is being held up. */
const HEAD_START_MS = 1_500
/** What did not work on this network is not the first choice for so long. */
const BAD_MS = 600_000
/** A carrier that dies sooner than this did not work. */
const PROVEN_MS = 15_000
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
  /** Outlives the page; undefined where there is none. Asking for it may hold up the page for some ms. */
  storage(): Pick<Storage, 'getItem' | 'setItem'> | undefined
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

export class CarrierChoice {
  readonly #allowed: readonly CarrierKind[]
  readonly #world: ChoiceWorld
  /** Where it is kept what does not work here; undefined before it has been looked at. */
  #key: string | undefined
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

  /**
   * The best carrier that opens. What is remembered is looked at while the first is opening already, since that takes
   * the page some ms: nearly always, the first is right.
   */
  readonly open: OpenCarrier = (server, first, events, clock, plain) => {
    const kinds = this.#order()
    const passed = (kind: CarrierKind): boolean =>
      (this.#failures.get(kind) ?? 0) >= (this.#worked.has(kind) ? WORKED_FAILURES : 1)
    const attempt = { headStartMs: HEAD_START_MS, climbing: false, passed }
    const ladder = new Ladder(this, this.#world.carriers, { ...attempt, kinds }, [server, first, events, clock, plain])
    if (this.#key === undefined) {
      this.#load(server)
      const better = this.#order()
      if (better[0] !== kinds[0]) ladder.startOver({ ...attempt, kinds: better })
    }
    return ladder
  }

  /** What works here first. */
  #order(): readonly CarrierKind[] {
    const nowMs = this.#world.wallMs()
    const isBad = (kind: CarrierKind): boolean => this.#isBad(kind, nowMs)
    return [...this.#allowed.filter((kind) => !isBad(kind)), ...this.#allowed.filter(isBad)]
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
    if (passedOver.length === 0 && !(kind in this.#bad)) return
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
    this.#key = `partyline.carriers ${server.origin}`
    try {
      this.#bad = JSON.parse(this.#world.storage()?.getItem(this.#key) ?? '{}') ?? {}
    } catch {
      // Not ours, or not allowed.
    }
  }

  #save(): void {
    try {
      if (this.#key !== undefined) this.#world.storage()?.setItem(this.#key, JSON.stringify(this.#bad))
    } catch {
      // Full, or not allowed.
    }
  }
}
