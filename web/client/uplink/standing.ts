/**
 * Which carrier the uplink is on: one after the other is opened and joined by, the one that is lost is followed by
 * another, and what the server says of the end of one decides whether there is a next.
 */
import { CLOSE } from '../../../signaling/protocol/index.ts'
import type { Carrier } from '../carriers/carrier.ts'
import type { PartylineError } from '../errors.ts'
import type { Emitter } from '../events.ts'
import type { Access } from './access.ts'
import { BackOff, openingPatienceMs } from './back-off.ts'
import type { UplinkEvents, UplinkOptions, Welcome } from './contract.ts'
import type { Credentials } from './credentials.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Incoming } from './incoming.ts'
import { JOIN_MS, type Opening, Openings } from './openings.ts'
import { Rival } from './rival.ts'
import type { Session } from './session.ts'
import type { UplinkState } from './state.ts'
import { type Verdict, verdictOfClose } from './verdict.ts'

/** Opening or joining for longer than this when the network calls: likely stuck on the old network. */
const STUCK_MS = 1_000
/** For the application's function that gives an access token. */
const ACCESS_MS = 15_000

export interface StandingDependencies extends Pick<UplinkOptions, 'server' | 'open' | 'choice' | 'clock' | 'random'> {
  readonly session: Pick<Session, 'join'>
  readonly access: Access
  readonly credentials: Pick<Credentials, 'token'>
  readonly heartbeat: Pick<Heartbeat, 'rttMs'>
  nextId(): number
  /** What the carrier in use brings. */
  readonly incoming: Pick<Incoming, 'text' | 'binary' | 'flush' | 'forgive'>
  readonly events: Pick<Emitter<UplinkEvents>, 'emit'>
  /** The server has given a carrier the session, which is to be used from now on. */
  welcome(message: Welcome, opening: Pick<Opening, 'carrier' | 'sinceMs'>): void
  /** The carrier in use is so no more. */
  offline(): void
  closed(error: PartylineError | undefined): void
}

export class Standing {
  /** `leave` is said: the end of the carrier is the end. */
  leaving = false
  /** How often it was lost after being online. */
  reconnections = 0
  readonly #dependencies: StandingDependencies
  readonly #openings: Openings
  readonly #rival: Rival
  readonly #backOff: BackOff
  #state: UplinkState = { name: 'idle' }
  #bytesSent = 0

  constructor(dependencies: StandingDependencies) {
    const { session, incoming } = dependencies
    this.#dependencies = dependencies
    this.#backOff = new BackOff(dependencies.random)
    this.#openings = new Openings({
      ...dependencies,
      join: (id) => session.join(id),
      opened: (opening) => {
        if (this.carrier === opening.carrier) this.#await(opening)
      },
      text: (opening, text) => {
        if (this.#rival.opening === opening) {
          this.#rival.said(opening, text)
          incoming.flush()
        } else incoming.text(text)
      },
      binary: (opening, bytes) => {
        if (this.#rival.opening !== opening) incoming.binary(bytes)
      },
      closed: (opening, code, reason) => {
        if (this.#rival.opening === opening) this.#rival.ended()
        else this.lost(code, reason)
      },
    })
    this.#rival = new Rival({
      ...dependencies,
      open: (climb) => this.#openings.open(climb),
      online: () => this.online?.carrier.kind,
      leaving: () => this.leaving,
      unsaid: () => this.#openings.settled(),
    })
  }

  get state(): UplinkState {
    return this.#state
  }

  get carrier(): Carrier | undefined {
    return 'carrier' in this.#state ? this.#state.carrier : undefined
  }

  get online(): (UplinkState & { readonly name: 'online' }) | undefined {
    return this.#state.name === 'online' ? this.#state : undefined
  }

  /** Another carrier is opening beside the one in use. */
  get contested(): boolean {
    return this.#rival.opening !== undefined
  }

  get bytesSent(): number {
    return this.#bytesSent + this.#openings.bytesSent
  }

  get bytesReceived(): number {
    return this.#openings.bytesReceived
  }

  begin(): void {
    this.#connect()
  }

  /** To the carrier in use; lost when there is none. */
  write(message: string | Uint8Array): void {
    if (this.carrier?.send(message)) this.#bytesSent += message.length
  }

  /** Not to wait any longer, unless the server has asked for it. */
  hurry(): void {
    const state = this.#state
    if (state.name === 'waiting' && this.#dependencies.clock.now() >= state.notBeforeMs) this.#connect()
  }

  /** The carrier is in doubt. */
  race(): void {
    this.#rival.race()
  }

  /** A round trip of the carrier in use. */
  measured(rttMs: number): void {
    this.#rival.measured(rttMs)
  }

  /** There may be another network. */
  networkChanged(): void {
    const state = this.#state
    this.#rival.networkChanged()
    if ('carrier' in state && state.name !== 'online') {
      if (this.#dependencies.clock.now() - state.sinceMs > STUCK_MS) this.#connect()
    } else this.hurry()
  }

  /** The welcome came by this carrier. `entered`: what there is to do before anybody hears of it. */
  enter(welcome: Welcome, carrier: Carrier, entered: () => void): void {
    const { limits, graceMs } = welcome
    this.#openings.settled()
    const sinceMs = this.#dependencies.clock.now()
    this.#become({ name: 'online', carrier, sinceMs, limits, graceMs }, () => {
      this.#rival.climbLater()
      entered()
    })
  }

  /** The one place where the state changes, and where what belonged to the old one ends. */
  #become(next: UplinkState, entered?: () => void): void {
    const { clock } = this.#dependencies
    const previous = this.#state
    if (previous.name === 'closed') return
    this.#state = next
    if ('timer' in previous && previous.timer !== undefined) clock.clearTimeout(previous.timer)
    if ('carrier' in previous && this.carrier !== previous.carrier) previous.carrier.close(CLOSE.normal, '')
    this.#rival.settle(this.carrier)
    if (previous.name === 'online') {
      this.#dependencies.offline()
      this.#rival.rest()
      if (next.name !== 'closed' && next.name !== 'online') this.reconnections += 1
    }
    entered?.()
    if (this.#state === next) this.#dependencies.events.emit('state', next.name)
  }

  #connect(begun?: Opening): void {
    if (begun === undefined && this.#dependencies.access.due) {
      this.#fetchAccess()
      return
    }
    const opening = begun ?? this.#openings.open()
    const { clock, heartbeat } = this.#dependencies
    const { rttMs } = heartbeat
    const patience = (): void => {
      this.#openings.tooSlow()
      this.#connect()
    }
    const patienceMs = rttMs === undefined ? undefined : openingPatienceMs(rttMs, this.#openings.unopened)
    const timer = patienceMs === undefined ? undefined : clock.setTimeout(patience, patienceMs)
    this.#become({ ...opening, name: 'connecting', timer })
  }

  #fetchAccess(): void {
    const timer = this.#dependencies.clock.setTimeout(() => this.retry(), ACCESS_MS)
    const waiting: UplinkState = { name: 'waiting', notBeforeMs: Number.POSITIVE_INFINITY, timer }
    this.#become(waiting)
    const asked = (): void => {
      if (this.#state !== waiting) return
      if (this.#dependencies.access.due) this.retry()
      else this.#connect()
    }
    this.#dependencies.access.fetch().then(asked, asked)
  }

  /** The carrier is open, and has said `join`. */
  #await({ id, carrier, sinceMs }: Opening): void {
    const timer = this.#dependencies.clock.setTimeout(() => this.lost(CLOSE.timeout, 'no welcome in time'), JOIN_MS)
    this.#become({ name: 'joining', id, carrier, sinceMs, timer })
  }

  /** The carrier ended, or is not worth waiting for. */
  lost(code: number, reason: string, retryAfterMs?: number): void {
    const verdict = verdictOfClose(code, reason)
    const rival = this.#rival.opening
    if (code === CLOSE.normal && this.leaving) this.end(undefined)
    else if (code === CLOSE.replaced && rival === undefined && this.#openings.unanswered > 0) {
      // By ourselves.
      this.#openings.settled()
      this.retry()
    } else if (
      rival !== undefined &&
      retryAfterMs === undefined &&
      (verdict.kind === 'retry' || code === CLOSE.replaced)
    ) {
      this.#goodSpell(this.#dependencies.clock.now())
      // Our own rival has it: that is no loss.
      if (code === CLOSE.replaced && this.online !== undefined) this.reconnections -= 1
      if (rival.opened) this.#await(rival)
      else this.#connect(rival)
    } else this.follow(verdict, retryAfterMs)
  }

  follow(verdict: Verdict, retryAfterMs?: number): void {
    const lapsed =
      verdict.kind === 'end' && verdict.error.code === 'access-expired' && this.#dependencies.access.expire()
    if (verdict.kind === 'end' && !lapsed) this.end(verdict.error)
    else if (verdict.kind === 'rejoin' && this.leaving) this.end(undefined)
    else if (verdict.kind === 'rejoin' && this.#dependencies.credentials.token !== undefined) {
      this.#dependencies.credentials.token = undefined
      this.#connect()
    } else this.retry(retryAfterMs)
  }

  retry(afterMs = 0): void {
    const { clock } = this.#dependencies
    const now = clock.now()
    this.#goodSpell(now)
    this.#become({
      name: 'waiting',
      notBeforeMs: now + afterMs,
      timer: clock.setTimeout(() => this.#connect(), afterMs + this.#backOff.nextMs(now)),
    })
  }

  /** Whether what ends now was one counts for how soon to come back. */
  #goodSpell(now: number): void {
    const { online } = this
    if (online !== undefined && this.#backOff.lost(now, now - online.sinceMs, online.graceMs))
      this.#dependencies.incoming.forgive()
  }

  /** It is over, for good. */
  end(error: PartylineError | undefined): void {
    if (this.#state.name === 'closed') return
    this.#become({ name: 'closed', error })
    this.#dependencies.closed(error)
  }
}
