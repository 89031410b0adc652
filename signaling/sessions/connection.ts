import type { Access } from '../access/access-tokens.ts'
import { accessInfo, type Grant } from '../access/grant.ts'
import { accessRefusal } from '../access/refusal.ts'
import { Term, type TermOwner } from '../access/term.ts'
import type { Clock, Timer } from '../clock.ts'
import type { HistoryDesk } from '../history/desk.ts'
import type { HubLog } from '../hub-log.ts'
import type { HubOptions } from '../limits/hub-options.ts'
import { Intake, type IntakeOwner } from '../limits/intake.ts'
import { Rate } from '../limits/rate.ts'
import { spread } from '../limits/spread.ts'
import type { Occurrences } from '../metrics/occurrences.ts'
import { parseClientMessage } from '../protocol/client-message.ts'
import type { ClientMessage, LinkPaths, ServerMessage } from '../protocol/control.ts'
import { CLOSE, ProtocolError } from '../protocol/errors.ts'
import { type Json, utf8Bytes } from '../protocol/guards.ts'
import type { HistoryRequest } from '../protocol/history.ts'
import type { FillRandom } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import { broken, errorMessage, Refusal } from '../refusal.ts'
import { Outlet, type OutletOwner } from '../router/outlet.ts'
import type { Router, Traffic } from '../router/router.ts'
import type { Turns } from '../router/turns.ts'
import type { Uplink, UplinkHandlers } from '../uplink.ts'
import type { Member, SessionUplink } from './member.ts'
import type { Joined, JoinMessage, Sessions } from './sessions.ts'
import { agreeVersion, welcome } from './welcome.ts'

export interface ConnectionDependencies {
  readonly options: HubOptions
  readonly clock: Clock
  readonly random: FillRandom
  readonly log: HubLog
  readonly sessions: Sessions
  readonly router: Router
  readonly turns: Turns
  readonly traffic: Traffic
  readonly occurrences: Occurrences
  readonly history: HistoryDesk<Member>
  /** Asked about every join; undefined lets everyone in. */
  readonly access: Access | undefined
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

/** Checking a signature takes up to 0.2 ms: whoever renews without end may do so 64 times a second. */
const CHECK_COST_BYTES = 65_536

/** One uplink of one client: waits for `join`, then serves a member. */
export class Connection implements UplinkHandlers, SessionUplink, IntakeOwner, OutletOwner, TermOwner {
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
      this.#fail(broken('too-large', `message: expected at most ${LIMITS.controlBytes} bytes`))
    } else {
      this.#intake.receive(text)
    }
  }

  binary(bytes: Uint8Array): void {
    if (this.#phase !== 'open') return
    this.#unheard = false
    const { packetBytes } = this.#dependencies.options
    if (bytes.length > packetBytes) this.#fail(broken('too-large', `message: expected at most ${packetBytes} bytes`))
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
    this.#say({ t: 'expiring', inMs })
  }

  expired(): void {
    this.#fail(new Refusal('access-expired', 'the access token has run out', CLOSE.accessExpired))
  }

  stalled(why: string): void {
    this.end(CLOSE.slowReader, `slow reader: ${why}`)
  }

  flooded(): void {
    const { options, random } = this.#dependencies
    const limits = `${options.messagesPerSecond} messages and ${options.bytesPerSecond} bytes a second`
    const retryAfterMs = spread(options.retryAfterMs, random)
    this.#fail(new Refusal('rate-limited', `faster than ${limits} for too long`, CLOSE.rateLimited, retryAfterMs))
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
  handle(message: string | Uint8Array): void {
    let request: number | undefined
    try {
      if (typeof message === 'string') {
        // The profile's own limit is checked below, where its answer is another.
        const parsed = parseClientMessage(message, LIMITS.controlBytes)
        request = 'id' in parsed ? parsed.id : undefined
        this.#control(parsed)
      } else {
        const member = this.#member()
        member.rate.delivered(this.#dependencies.router.forward(member, message))
      }
    } catch (error) {
      this.#fail(error, request)
    }
  }

  #control(message: ClientMessage): void {
    if (message.t === 'join') {
      const { access, room, id } = message
      if (this.#joined === undefined) this.#checked(access, room, id, true, (grant) => this.#join(message, grant))
      else this.#join(message)
      return
    }
    const member = this.#member()
    const { sessions, clock } = this.#dependencies
    switch (message.t) {
      case 'profile':
        this.#checkProfile(message.profile)
        sessions.setProfile(member, message.profile)
        this.#say({ t: 'ok', re: message.id })
        return
      case 'renew':
        this.#renew(member, message.id, message.access)
        return
      case 'snapshot': {
        const { epoch, version } = member.room
        // Up to a megabyte for a few bytes: who asks, pays.
        member.rate.charge(
          this.#say({ t: 'snapshot', re: message.id, epoch, version, members: member.room.others(member.id) }),
        )
        return
      }
      case 'leave':
        sessions.end(member, 'left')
        this.end(CLOSE.normal, 'left', [{ t: 'ok', re: message.id }])
        return
      case 'grace':
        this.#graceMs = message.graceMs
        return
      case 'ping':
        this.#paths = message.paths ?? this.#paths
        member.seen(message.published)
        this.#say({
          ...{ t: 'pong', n: message.n, timeMs: clock.nowMs() },
          // It hears of no events, and would miss them.
          ...(member.hidden ? {} : { version: member.room.version }),
        })
        return
      case 'history':
      case 'read':
      case 'positions':
        this.#ask(member, message)
        return
    }
  }

  /** Pages are large: the next request waits for this one, so that what is asked for is paid before more is. */
  #ask(member: Member, request: HistoryRequest): void {
    const paged = request.t === 'history'
    if (paged) this.#intake.hold()
    void this.#dependencies.history
      .request(member, request)
      .then((answer) => {
        if (this.#phase === 'open') member.rate.charge(this.#say(answer))
      })
      .catch((error: unknown) => this.#fail(error, request.id))
      .then(() => {
        if (paged) this.#intake.release()
      })
  }

  /** Act when it is known what the access token allows; what comes meanwhile waits. At once where none is asked for. */
  #checked(
    token: string | undefined,
    room: string,
    re: number,
    fatal: boolean,
    act: (grant: Grant | undefined) => void,
  ): void {
    const { access, options, random } = this.#dependencies
    if (access === undefined) {
      act(undefined)
      return
    }
    this.#intake.hold()
    void access
      .check(token, room)
      .then((grant) => {
        if (this.#phase === 'open') act(grant)
      })
      .catch((error: unknown) => this.#fail(accessRefusal(error, fatal, spread(options.retryAfterMs, random)), re))
      .then(() => this.#intake.release())
  }

  #renew(member: Member, re: number, token: string | undefined): void {
    const { access, sessions } = this.#dependencies
    const renewed = (): void => {
      const info = access === undefined ? {} : { access: accessInfo(member.grant) }
      this.#say({ t: 'renewed', re, ...sessions.credentials(member), ...info })
    }
    if (access === undefined || token === undefined) {
      renewed()
      return
    }
    member.rate.charge(CHECK_COST_BYTES)
    this.#checked(token, member.room.name, re, false, (grant) => {
      // It may have been removed meanwhile, or have come back by another uplink.
      if (grant === undefined || member.uplink !== this) return
      sessions.regrant(member, grant)
      this.#term?.set(grant.expiresAtMs)
      renewed()
    })
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
    this.#checkProfile(message.profile, CLOSE.refused)
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
    const length = this.#say(welcome({ re, ...joined, credentials, options, timeMs: clock.nowMs(), asksAccess, kept }))
    for (const text of joined.member.unseen.texts) this.outlet.control(text)
    return length
  }

  #member(): Member {
    if (this.#joined === undefined) throw broken('not-joined', 'the first message must be join')
    return this.#joined.member
  }

  /** A profile is the application's: too large a one is refused, and only in `join` the uplink with it. */
  #checkProfile(profile: Json, close?: number): void {
    const { profileBytes } = this.#dependencies.options
    if (utf8Bytes(JSON.stringify(profile)) <= profileBytes) return
    throw new Refusal('too-large', `profile: expected at most ${profileBytes} bytes of JSON`, close)
  }

  /** Returns the length of what was said. */
  #say(message: ServerMessage): number {
    const text = JSON.stringify(message)
    this.outlet.control(text)
    return text.length
  }

  #fail(error: unknown, re?: number): void {
    const refusal = this.#refusal(error)
    const answer = errorMessage(refusal, re)
    if (this.#joined === undefined) this.#dependencies.occurrences.refused(refusal.code)
    if (refusal.close === undefined) this.#say(answer)
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
