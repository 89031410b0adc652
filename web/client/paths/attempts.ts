import type { IceServer, LinkMessage } from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../clock.ts'
import { AttemptPace } from './attempt-pace.ts'
import { boundedCandidates, planAttempt } from './attempt-plan.ts'
import { type AttemptState, HOLDS_SLOT, type OfferSignal, seconds, whyOf } from './attempt-state.ts'
import { ATTEMPT_TIMES, type AttemptTimes } from './attempt-times.ts'
import type { AttemptsOptions } from './attempts-options.ts'
import { CandidateIntake, type CandidateMessage } from './candidate-intake.ts'
import { isRelayed, relayOnly, throughTurnOnly, withoutRelayed } from './ice-servers.ts'
import type { DirectPath, DirectPathEvents, NegotiatedPath, PathSignal } from './path.ts'
import { PathsInUse } from './paths-in-use.ts'
import type { Slot } from './slots.ts'
import { Throttle } from './throttle.ts'

type AnswerSignal = PathSignal & { readonly t: 'answer' }
type Timer = { readonly afterMs: number; readonly run: () => void }

/**
 * The attempts of one link at a peer connection: when the next one starts, which one counts, and when one is given up.
 * `AttemptState` has the table. It never waits for ever, whatever ICE, the other side or the network leave unsaid.
 */
export class Attempts {
  readonly #options: AttemptsOptions
  readonly #times: AttemptTimes
  readonly #turnOnly: boolean
  readonly #pace: AttemptPace
  readonly #inUse: PathsInUse
  readonly #network: Throttle
  readonly #pathEvents: DirectPathEvents
  #state: AttemptState = { is: 'new' }
  #timer: TimerHandle | undefined
  #slot: Slot | undefined
  /** Number of the newest attempt known to either side. */
  #newest = 0
  #count = 0
  /** A direct path is looked for beside the one through TURN. */
  #seeking = false
  readonly #candidates = new CandidateIntake()
  readonly #opened = new Set<DirectPath>()

  constructor(options: AttemptsOptions) {
    this.#options = options
    this.#times = options.times ?? ATTEMPT_TIMES
    this.#turnOnly = throughTurnOnly(options.policy)
    this.#pace = new AttemptPace(options, this.#times)
    this.#inUse = new PathsInUse(options.clock, this.#times.retireMs)
    this.#network = new Throttle(options.clock, this.#times.networkBurstMs, () => this.#startOver())
    const { events } = options
    this.#pathEvents = {
      opened: (path) => this.#pathOpened(path),
      closed: (path, reason) => this.#pathClosed(path, reason),
      frame: (path, lane, bytes) => events.frame(path, lane, bytes),
      writable: (path, lane) => events.writable(path, lane),
      kindChanged: (path) => {
        if (!this.#opened.has(path)) return
        events.kindChanged(path)
        events.changed()
      },
    }
  }

  get state(): AttemptState['is'] {
    return this.#state.is
  }

  /** The usable path. */
  get current(): DirectPath | undefined {
    return this.#inUse.current
  }

  /** Peer connections made so far. */
  get count(): number {
    return this.#count
  }

  /** For people: why the link has the path it has. */
  get why(): string {
    return whyOf(this.#state, {
      kind: this.current?.kind,
      turnOnly: this.#turnOnly,
      slotLimit: this.#options.slots.limit,
      nowMs: this.#options.clock.now(),
    })
  }

  start(): void {
    if (this.#state.is !== 'new') return
    const { connect, policy, slots, initiator, say } = this.#options
    const because =
      connect === undefined
        ? 'WebRTC is not supported here'
        : relayOnly(policy)
          ? 'set to use the server only'
          : slots.limit === 0
            ? 'set to have no direct peers'
            : undefined
    if (because !== undefined) {
      this.#enter({ is: 'off', side: 'here', because })
      say({ t: 'relay-only' })
    } else if (initiator) this.#begin()
    else this.#expect(false)
  }

  /** A message of the other side. `declare` and `beside` are not for us. */
  receive(message: LinkMessage): void {
    if (this.#state.is === 'new') this.start()
    if (this.#state.is === 'stopped') return
    const { initiator } = this.#options
    switch (message.t) {
      case 'offer':
        if (!initiator) this.#takeOffer(message)
        return
      case 'answer':
        if (initiator) this.#takeAnswer(message)
        return
      case 'candidate':
        this.#takeCandidate(message)
        return
      case 'ask':
        if (initiator) this.#takeAsk(message.replaces)
        return
      case 'full':
        this.#takeFull(message.attempt)
        return
      case 'slot':
        if (this.#state.is === 'full-there') this.#next(true)
        return
      case 'relay-only':
        if (this.#state.is === 'off') return
        this.#enter({ is: 'off', side: 'there', because: 'the other side does not use WebRTC' })
        this.#dropCurrent()
        return
      case 'declare':
      case 'beside':
    }
  }

  /** The link's ping on this path was answered on it. */
  usable(path: DirectPath): void {
    const state = this.#state
    if (path === this.current && state.is === 'waiting' && state.for === 'answer') this.#rest()
    if (state.is !== 'connecting' || state.path !== path) return
    this.#pace.usable(path.kind, state.turn)
    this.#inUse.promote(state.path)
    this.#rest()
    this.#options.events.path(path)
  }

  /**
   * The path in use does not answer, and frames take the relay. It may come back, but SCTP backs off for seconds: when
   * it is not `usable` again soon, another is made beside it.
   */
  doubted(): void {
    const state = this.#state
    if (this.current === undefined || !(state.is === 'up' || (state.is === 'waiting' && state.for === 'direct'))) return
    this.#pace.doubted()
    this.#wait('answer', this.#times.doubtMs, 'the direct path does not answer', () => this.#next(false))
  }

  /** The link has given up on this path. */
  lost(path: DirectPath, reason: string): void {
    const state = this.#state
    if (state.is === 'connecting' && state.path === path) this.#fail(reason)
    else if (path === this.current) this.#dropCurrent(reason)
    else if (this.#opened.has(path)) {
      this.#inUse.forget(path)
      path.close()
    }
  }

  /** The device has, or may have, another network: what is up may be dead, and what failed may work. */
  networkChanged(): void {
    if (this.#state.is !== 'new' && this.#state.is !== 'stopped') this.#network.call()
  }

  /** Ends everything; no event is told any more. */
  stop(): void {
    if (this.#state.is === 'stopped') return
    this.#network.stop()
    this.#enter({ is: 'stopped' })
    this.#inUse.closeAll()
    this.#settleSlot()
  }

  /** The one setter. What the state before had of its own ends here. */
  #enter(next: AttemptState, timer?: Timer | 'same'): void {
    const { clock, events } = this.#options
    const before = this.#state
    this.#state = next
    if (timer !== 'same') {
      if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
      this.#timer = timer === undefined ? undefined : clock.setTimeout(timer.run, timer.afterMs)
    }
    if (before.is === 'full-here' && next.is !== 'full-here') before.leaveLine()
    if (before.is === 'connecting' && before.path !== this.current) {
      if (next.is !== 'connecting' || next.path !== before.path) before.path.close()
    }
    this.#settleSlot()
    if (next.is !== 'preparing' && next.is !== 'connecting') this.#seeking = false
    if (next.is !== 'stopped') events.changed()
  }

  #settleSlot(): void {
    if (this.current !== undefined || HOLDS_SLOT.has(this.#state.is)) return
    const slot = this.#slot
    this.#slot = undefined
    slot?.release()
  }

  #holdSlot(): boolean {
    this.#slot ??= this.#options.slots.take()
    return this.#slot !== undefined
  }

  #standInLine(told: boolean): void {
    const state = this.#state
    if (state.is === 'full-here') {
      this.#enter({ ...state, told: told || state.told })
      return
    }
    const leaveLine = this.#options.slots.wait((slot) => {
      if (this.#state.is !== 'full-here') {
        slot.release()
        return
      }
      this.#slot = slot
      const { initiator, say } = this.#options
      if (initiator || !this.#state.told) this.#next(false)
      else {
        this.#expect(true)
        say({ t: 'slot' })
      }
    })
    this.#enter({ is: 'full-here', told, leaveLine })
  }

  /** The time for another attempt has come. `offered`: the other side said so, and need not be asked. */
  #next(offered: boolean): void {
    if (this.#options.initiator) this.#begin()
    else if (offered) this.#expect(true)
    else this.#ask()
  }

  #begin(): void {
    if (this.#holdSlot()) {
      this.#setNewest(this.#newest + 1)
      this.#prepare(this.#newest, this.#pace.withTurn, undefined)
    } else {
      this.#standInLine(true)
      this.#options.say({ t: 'full', attempt: this.#newest + 1 })
    }
  }

  #ask(): void {
    if (!this.#holdSlot()) {
      this.#standInLine(false)
      return
    }
    this.#expect(true)
    this.#options.say({ t: 'ask', replaces: this.#newest })
  }

  #expect(asked: boolean): void {
    const run = (): void => this.#backOff('the other side did not connect')
    this.#enter({ is: 'expecting', asked }, { afterMs: this.#times.offerMs, run })
  }

  #prepare(attempt: number, turn: boolean, offer: OfferSignal | undefined): void {
    const { iceServers } = this.#options
    const state = { is: 'preparing', attempt, turn, offer } as const
    const connect = (servers: readonly IceServer[]): void => {
      if (this.#state === state) this.#connect(state, servers)
    }
    const fetchServers = (): void => {
      this.#pace.begun()
      this.#enter(state, { afterMs: this.#times.iceServersMs, run: () => connect([]) })
      new Promise<readonly IceServer[]>((resolve) => resolve(iceServers())).then(connect, () => connect([]))
    }
    const { tooSoonMs } = this.#pace
    if (tooSoonMs > 0) this.#enter(state, { afterMs: tooSoonMs, run: fetchServers })
    else fetchServers()
  }

  #connect(state: AttemptState & { readonly is: 'preparing' }, known: readonly IceServer[]): void {
    const { initiator, policy, clock, connect, say } = this.#options
    const { attempt, turn, offer } = state
    const plan = planAttempt({ initiator, turn, policy }, known, this.#times)
    if (connect === undefined || plan === undefined) {
      this.#fail('no TURN server is known')
      return
    }
    const { iceServers, iceTransportPolicy, turnNext, way } = plan
    const openWithinMs = initiator ? this.#pace.openWithinMs(plan.openWithinMs) : plan.openWithinMs
    const path = connect({
      attempt,
      initiator,
      turn,
      iceServers,
      iceTransportPolicy,
      clock,
      events: this.#pathEvents,
      say: boundedCandidates(say),
    })
    this.#count += 1
    const run = (): void => this.#fail(`no ${way} after ${seconds(openWithinMs)}`)
    this.#enter(
      { is: 'connecting', attempt, turn, path, phase: 'negotiating', turnNext },
      { afterMs: openWithinMs, run },
    )
    if (offer !== undefined) path.accept(offer)
    this.#candidates.release(path)
  }

  /** The attempt under way came to nothing. */
  #fail(because: string): void {
    const turnNext = this.#state.is === 'connecting' && this.#state.turnNext && !this.#seeking
    this.#pace.failed()
    if (turnNext) this.#begin()
    else this.#backOff(because)
  }

  /** `eagerly`: default, when a path was lost lately. */
  #backOff(because: string, eagerly?: boolean): void {
    const delayMs = this.#pace.retryMs(eagerly)
    if (this.current !== undefined) this.#rest()
    else this.#wait('retry', delayMs, because, () => this.#next(false))
  }

  #wait(what: 'retry' | 'answer' | 'direct', delayMs: number, because: string, run: () => void): void {
    const untilMs = this.#options.clock.now() + delayMs
    this.#enter({ is: 'waiting', for: what, because, untilMs }, { afterMs: delayMs, run })
  }

  /** A path is usable, and nothing is to be done now. The numbering side looks for a direct one, later. */
  #rest(): void {
    const delayMs = this.#options.initiator && this.current?.kind === 'turn' ? this.#pace.seekMs : undefined
    if (delayMs === undefined) {
      this.#enter({ is: 'up' })
      return
    }
    this.#wait('direct', delayMs, 'no direct way was found', () => this.#seek())
  }

  #seek(): void {
    if (this.current?.kind !== 'turn') {
      this.#rest()
      return
    }
    this.#pace.seek()
    this.#begin()
    this.#seeking = true
  }

  #startOver(): void {
    this.#pace.startOver()
    this.#seeking = false
    const { is } = this.#state
    if (is === 'up' || is === 'waiting' || is === 'preparing' || is === 'connecting') this.#next(false)
  }

  #takeOffer(offer: OfferSignal): void {
    const { say } = this.#options
    if (this.#state.is === 'off' && this.#state.side === 'here') {
      say({ t: 'relay-only' })
      return
    }
    if (offer.attempt <= this.#newest) return
    this.#setNewest(offer.attempt)
    if (this.#holdSlot()) {
      this.#prepare(offer.attempt, offer.turn, this.#allowed(offer))
    } else {
      this.#standInLine(true)
      say({ t: 'full', attempt: offer.attempt })
    }
  }

  #takeAnswer(answer: AnswerSignal): void {
    const state = this.#state
    if (state.is !== 'connecting' || state.attempt !== answer.attempt || state.phase !== 'negotiating') return
    this.#enter({ ...state, phase: 'answered' }, 'same')
    state.path.accept(this.#allowed(answer))
  }

  #allowed<Signal extends OfferSignal | AnswerSignal>(signal: Signal): Signal {
    return this.#options.policy.turn ? signal : { ...signal, sdp: withoutRelayed(signal.sdp) }
  }

  #takeCandidate(message: CandidateMessage): void {
    const { initiator, policy } = this.#options
    if (!policy.turn && isRelayed(message.candidate.candidate)) return
    const { attempt } = message
    const path = attempt === this.#newest ? this.#newestPath() : undefined
    if (path !== undefined) this.#candidates.pass(message, path)
    else if (initiator) return
    else if (attempt === this.#newest + 1 || (attempt === this.#newest && this.#state.is === 'preparing')) {
      this.#candidates.hold(message)
    }
  }

  /** Also a path in use takes candidates: a better pair may come late. */
  #newestPath(): NegotiatedPath | undefined {
    if (this.#state.is === 'connecting') return this.#state.path
    const { current } = this.#inUse
    return current?.attempt === this.#newest ? current : undefined
  }

  #takeAsk(replaces: number): void {
    const { say } = this.#options
    const state = this.#state
    if (state.is === 'off') {
      if (state.side === 'here') say({ t: 'relay-only' })
      return
    }
    // A newer attempt is on its way to the one who asks. If none is under way, the one who asks never heard of it.
    const underWay = state.is === 'preparing' || state.is === 'connecting'
    if (underWay && replaces < this.#newest) return
    this.#setNewest(Math.max(replaces, this.#newest))
    if (state.is === 'full-here') say({ t: 'full', attempt: this.#newest + 1 })
    else this.#begin()
  }

  #takeFull(attempt: number): void {
    const { initiator, random } = this.#options
    const { is } = this.#state
    const concerned = initiator
      ? (is === 'preparing' || is === 'connecting') && attempt === this.#newest
      : (is === 'expecting' || is === 'waiting' || is === 'full-there') && attempt > this.#newest
    if (!concerned) return
    const afterMs = this.#times.fullMs * (0.5 + random() / 2)
    this.#enter({ is: 'full-there' }, { afterMs, run: () => this.#next(false) })
  }

  #setNewest(attempt: number): void {
    this.#newest = attempt
    this.#candidates.follow(attempt)
  }

  #pathOpened(path: DirectPath): void {
    const state = this.#state
    if (state.is !== 'connecting' || state.path !== path) {
      path.close()
      return
    }
    this.#opened.add(path)
    const run = (): void => this.#fail('the path opened but did not answer')
    this.#enter({ ...state, phase: 'open' }, { afterMs: this.#times.pingMs, run })
    this.#options.events.opened(path)
  }

  #pathClosed(path: DirectPath, reason: string): void {
    const state = this.#state
    if (state.is === 'connecting' && state.path === path) this.#fail(`the attempt failed (${reason})`)
    else if (this.#inUse.forget(path)) this.#currentGone('the direct path was lost')
    const wasOpen = this.#opened.delete(path)
    if (wasOpen && this.#state.is !== 'stopped') this.#options.events.closed(path, reason)
  }

  #dropCurrent(because = 'the direct path was lost'): void {
    const path = this.current
    if (path === undefined) return
    this.#inUse.forget(path)
    this.#currentGone(because)
    path.close()
  }

  #currentGone(because: string): void {
    if (this.#state.is === 'stopped') return
    const state = this.#state
    this.#pace.lost()
    this.#options.events.path(undefined)
    const idle = state.is === 'up' || (state.is === 'waiting' && state.for === 'direct')
    // One that comes and goes is tried again less and less often.
    if (idle) this.#backOff(because, false)
    else {
      this.#settleSlot()
      this.#options.events.changed()
    }
  }
}
