import type { Grant } from '../access/grant.ts'
import { Term, type TermOwner } from '../access/term.ts'
import type { Timer } from '../clock.ts'
import type { HubLog } from '../hub-log.ts'
import { Intake, type IntakeOwner } from '../limits/intake.ts'
import { Rate } from '../limits/rate.ts'
import { spread } from '../limits/spread.ts'
import type { Occurrences } from '../metrics/occurrences.ts'
import { parseClientMessage } from '../protocol/client-message.ts'
import type { ClientMessage, LinkPaths, ServerMessage } from '../protocol/control.ts'
import { CLOSE, ProtocolError } from '../protocol/errors.ts'
import { utf8Bytes } from '../protocol/guards.ts'
import { LIMITS } from '../protocol/limits.ts'
import { broken, errorMessage, Refusal } from '../refusal.ts'
import { Outlet, type OutletOwner } from '../router/outlet.ts'
import type { Router, Traffic } from '../router/router.ts'
import type { Turns } from '../router/turns.ts'
import type { Uplink, UplinkHandlers } from '../uplink.ts'
import type { Member } from './member.ts'
import { checkProfile, type RequestDependencies, type RequestUplink, serve, whenChecked } from './requests.ts'
import type { Joined, JoinMessage } from './sessions.ts'
import { agreeVersion, welcome } from './welcome.ts'

export interface ConnectionDependencies extends RequestDependencies {
  readonly log: HubLog
  readonly router: Router
  readonly turns: Turns
  readonly traffic: Traffic
  readonly occurrences: Occurrences
  /** An uplink is closed and done with. */
  ended(connection: Connection): void
}

interface Attachment extends Joined {
  readonly joinKey: string
  /** Of the protocol, as agreed. */
  readonly v: number
}

/**
 * The grace of a new member whose join came with the upgrade and who has said nothing since: a page that was closed, or
 * left the room, before the welcome could not say so.
 */
const UNHEARD_GRACE_MS = 2_000
/** Whoever is still there then has its welcome. */
const UNHEARD_MS = 10_000

/** One uplink of one client: waits for `join`, then serves a member. */
export class Connection implements UplinkHandlers, RequestUplink, IntakeOwner, OutletOwner, TermOwner {
  readonly outlet: Outlet
  readonly uplink: Uplink
  /** What its address counts as. */
  readonly addressGroup: string
  readonly #dependencies: ConnectionDependencies
  readonly #intake: Intake
  readonly #rate: Rate
  /** `open`: not joined yet unless `#joined` is set. `closing`: nothing more is taken or sent. */
  #phase: 'open' | 'closing' | 'closed' = 'open'
  #joined: Attachment | undefined
  #joinTimer: Timer | undefined
  #term: Term | undefined
  #graceMs: number | undefined
  #paths: LinkPaths | undefined
  /** Nothing has come from the client but the join that opened this uplink. */
  #unheard = false

  constructor(dependencies: ConnectionDependencies, uplink: Uplink, addressGroup: string) {
    const { clock, options } = dependencies
    this.uplink = uplink
    this.addressGroup = addressGroup
    this.#dependencies = dependencies
    this.#rate = new Rate(options, clock.nowMs())
    this.outlet = new Outlet(dependencies, this)
    this.#intake = new Intake(dependencies, this, this.#rate)
    this.#joinTimer = clock.setTimeout(
      () => this.end(CLOSE.timeout, `no join within ${options.joinTimeoutMs} ms`),
      options.joinTimeoutMs,
    )
  }

  get open(): boolean {
    return this.#phase === 'open'
  }

  get joined(): boolean {
    return this.#joined !== undefined
  }

  /** The paths of this client's links, as it told last. */
  get paths(): LinkPaths | undefined {
    return this.#paths
  }

  get graceMs(): number | undefined {
    if (!this.#unheard || this.#joined?.resumed !== false) return this.#graceMs
    const sinceMs = this.#dependencies.clock.nowMs() - this.#joined.member.joinedAtMs
    return sinceMs < UNHEARD_MS ? UNHEARD_GRACE_MS : this.#graceMs
  }

  useRate(rate: Rate): void {
    this.#intake.useRate(rate)
  }

  granted({ expiresAtMs }: Grant): void {
    this.#term?.set(expiresAtMs)
  }

  hold(): void {
    this.#intake.hold()
  }

  release(): void {
    this.#intake.release()
  }

  /** The first message came with what opened the uplink. */
  offered(text: string): void {
    this.text(text)
    this.#unheard = true
  }

  text(text: string): void {
    if (this.#phase !== 'open') return
    this.#unheard = false
    // Before anything of it is kept. Text is at most three bytes for each of its units.
    if (
      text.length > LIMITS.controlBytes ||
      (text.length * 3 > LIMITS.controlBytes && utf8Bytes(text) > LIMITS.controlBytes)
    ) {
      this.fail(broken('too-large', `message: expected at most ${LIMITS.controlBytes} bytes`))
    } else {
      this.#intake.receive(text)
    }
  }

  binary(bytes: Uint8Array): void {
    if (this.#phase !== 'open') return
    this.#unheard = false
    const { packetBytes } = this.#dependencies.options
    if (bytes.length > packetBytes) this.fail(broken('too-large', `message: expected at most ${packetBytes} bytes`))
    else this.#intake.receive(bytes)
  }

  drained(): void {
    if (this.#phase === 'open') this.outlet.drained()
  }

  closed(): void {
    if (this.#phase === 'closed') return
    this.#quieten()
    this.#phase = 'closed'
    this.outlet.discard()
    this.#detach()
    this.#dependencies.ended(this)
  }

  replaced(): void {
    this.end(CLOSE.replaced, 'a newer uplink of this session took over')
  }

  removed(): void {
    this.end(CLOSE.removed, 'removed from the room')
  }

  expiring(inMs: number): void {
    this.say({ t: 'expiring', inMs })
  }

  expired(): void {
    this.fail(new Refusal('access-expired', 'the access token has run out', CLOSE.accessExpired))
  }

  stalled(why: string): void {
    this.end(CLOSE.slowReader, `slow reader: ${why}`)
  }

  flooded(): void {
    const { options, random } = this.#dependencies
    const limits = `${options.messagesPerSecond} messages and ${options.bytesPerSecond} bytes a second`
    const retryAfterMs = spread(options.retryAfterMs, random)
    this.fail(new Refusal('rate-limited', `faster than ${limits} for too long`, CLOSE.rateLimited, retryAfterMs))
  }

  /** Say `last`, then `bye`, and close. The member, if still ours, is away from now on. */
  end(code: number, reason: string, last: readonly ServerMessage[] = [], retryAfterMs?: number): void {
    if (this.#phase !== 'open') return
    this.#quieten()
    this.#phase = 'closing'
    this.#dependencies.occurrences.closed(code)
    this.#dependencies.log.debug({ peerId: this.#joined?.member.id, code, reason }, 'closing an uplink')
    const bye: ServerMessage = { t: 'bye', code, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    this.outlet.close(
      [...last, bye].map((message) => JSON.stringify(message)),
      code,
      reason,
    )
    this.#detach()
  }

  #quieten(): void {
    if (this.#joinTimer !== undefined) this.#dependencies.clock.clearTimeout(this.#joinTimer)
    this.#joinTimer = undefined
    this.#term?.stop()
    this.#intake.stop()
  }

  #detach(): void {
    if (this.#joined !== undefined) this.#dependencies.sessions.dropped(this.#joined.member, this)
  }

  /** One message, at the rate it may come. */
  handle(message: string | Uint8Array, nowMs: number): void {
    let request: number | undefined
    try {
      if (typeof message === 'string') {
        // The profile's own limit is checked below, where its answer is another.
        const parsed = parseClientMessage(message, LIMITS.controlBytes)
        request = 'id' in parsed ? parsed.id : undefined
        this.#control(parsed)
      } else {
        const member = this.#member()
        member.rate.delivered(this.#dependencies.router.forward(member, message, nowMs))
      }
    } catch (error) {
      this.fail(error, request)
    }
  }

  #control(message: ClientMessage): void {
    if (message.t === 'join') {
      const { access: token, room, id: re } = message
      if (this.#joined !== undefined) this.#join(message)
      else
        whenChecked({ token, room, re, fatal: true }, this, this.#dependencies, (grant) => this.#join(message, grant))
      return
    }
    const member = this.#member()
    if (message.t === 'grace') {
      this.#graceMs = message.graceMs
      return
    }
    if (message.t === 'ping') this.#paths = message.paths ?? this.#paths
    serve(message, member, this, this.#dependencies)
  }

  #join(message: JoinMessage, grant?: Grant): void {
    if (this.#joined !== undefined) {
      const { member, joinKey } = this.#joined
      if (joinKey !== message.joinKey || member.room.name !== message.room) {
        throw broken('already-joined', 'this uplink has joined a room already')
      }
      member.seen(message.published)
      member.rate.charge(this.#welcome(message.id, this.#joined))
      return
    }
    const v = agreeVersion(message.vMin, message.vMax)
    checkProfile(message.profile, this.#dependencies.options, CLOSE.refused)
    const { member, resumed } = this.#dependencies.sessions.join(message, this, this.#rate, grant)
    if (this.#joinTimer !== undefined) this.#dependencies.clock.clearTimeout(this.#joinTimer)
    this.#joinTimer = undefined
    this.#joined = { member, joinKey: message.joinKey, resumed, v }
    if (grant?.expiresAtMs !== undefined) {
      this.#term = new Term(this.#dependencies.clock, this)
      this.#term.set(grant.expiresAtMs)
    }
    this.#dependencies.occurrences.joined(resumed)
    member.rate.useLimits(this.#dependencies.options)
    this.#welcome(message.id, this.#joined)
    this.#dependencies.log.debug({ peerId: member.id, room: member.room.name, resumed }, 'joined')
  }

  #welcome(re: number, joined: Attachment): number {
    const { options, clock, sessions, access, history } = this.#dependencies
    const credentials = sessions.credentials(joined.member)
    const asksAccess = access !== undefined
    const kept = history.kept(joined.member.room.name)
    const length = this.say(welcome({ re, ...joined, credentials, options, timeMs: clock.nowMs(), asksAccess, kept }))
    for (const text of joined.member.unseen.texts) this.outlet.control(text)
    return length
  }

  #member(): Member {
    if (this.#joined === undefined) throw broken('not-joined', 'the first message must be join')
    return this.#joined.member
  }

  say(message: ServerMessage): number {
    const text = JSON.stringify(message)
    this.outlet.control(text)
    return text.length
  }

  fail(error: unknown, re?: number): void {
    const refusal = this.#refusal(error)
    const answer = errorMessage(refusal, re)
    if (this.#joined === undefined) this.#dependencies.occurrences.refused(refusal.code)
    if (refusal.close === undefined) this.say(answer)
    else this.end(refusal.close, refusal.code, [answer], refusal.retryAfterMs)
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (error instanceof ProtocolError) return broken('bad-message', error.message)
    const { log, options, random } = this.#dependencies
    log.error({ err: error, address: this.uplink.address }, 'an uplink met a defect')
    return new Refusal('internal', 'the server met a defect', CLOSE.internal, spread(options.retryAfterMs, random))
  }
}
