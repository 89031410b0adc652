import { type Grant, OPEN_GRANT } from '../access/grant.ts'
import type { Users } from '../access/users.ts'
import type { Clock } from '../clock.ts'
import { Arrivals } from '../limits/arrivals.ts'
import type { HubOptions } from '../limits/hub-options.ts'
import type { Rate } from '../limits/rate.ts'
import { spread } from '../limits/spread.ts'
import type { ClientMessage, IceServer, LeaveReason } from '../protocol/control.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { Json } from '../protocol/guards.ts'
import { type FillRandom, type InstanceId, PEER_ID_BYTES, type PeerId, randomHex } from '../protocol/ids.ts'
import { Refusal } from '../refusal.ts'
import type { Room } from '../rooms/room.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { DropReports } from '../router/drop-reports.ts'
import type { DepartureStore } from './departures.ts'
import { Member, type MemberStart, type SessionUplink } from './member.ts'
import type { SessionClaims, SessionTokens } from './tokens.ts'
import type { SessionWatcher } from './watcher.ts'

export type JoinMessage = Extract<ClientMessage, { t: 'join' }>

export interface SessionDependencies {
  readonly options: HubOptions
  readonly clock: Clock
  readonly random: FillRandom
  readonly tokens: SessionTokens
  readonly departures: DepartureStore
  readonly rooms: Rooms<Member>
  readonly iceServers: (id: PeerId) => IceGrant
  readonly users: Users<Member>
  /** Takes what a member wants kept. */
  readonly keep: MemberStart['keep']
  /** Told of who comes and goes. */
  readonly watcher: SessionWatcher | undefined
}

/** ICE servers with credentials for one member. */
export interface IceGrant {
  readonly servers: readonly IceServer[]
  /** When the credentials end, ms since 1970. */
  readonly expiresAtMs: number
}

export interface Joined {
  readonly member: Member
  /** A session token was honoured. */
  readonly resumed: boolean
}

/** What a member needs to come back and to reach others: fresh with every welcome and every renewal. */
export interface Credentials {
  readonly token: string
  readonly tokenExpiresAtMs: number
  readonly iceServers: readonly IceServer[]
  readonly iceExpiresAtMs: number
}

/** Sessions from join to leave: who an uplink belongs to, what happens when it drops, and when a member is gone. */
export class Sessions {
  readonly #dependencies: SessionDependencies
  readonly #away = new Set<Member>()
  readonly #arrivals: Arrivals
  readonly #newDropReports: MemberStart['newDropReports']
  #members = 0
  #stopped = false

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies
    const { clock, options } = dependencies
    this.#arrivals = new Arrivals(options.connectionsPerAddress, clock)
    this.#newDropReports = (send) => new DropReports(clock, options.dropReportMs, send)
  }

  /** From now on; who is here stays. */
  allowPerAddress(connectionsPerAddress: number): void {
    this.#arrivals.allow(connectionsPerAddress)
  }

  get members(): number {
    return this.#members
  }

  get away(): number {
    return this.#away.size
  }

  /**
   * Make `uplink` the uplink of the member who joins: a new one, or the one that its token or its join key names, if
   * that is the same user's. The others are told. @throws Refusal
   */
  join(message: JoinMessage, uplink: SessionUplink, rate: Rate, grant: Grant = OPEN_GRANT): Joined {
    const asked = grant.profile === undefined ? message : { ...message, profile: grant.profile }
    const { rooms } = this.#dependencies
    if (asked.token === undefined) {
      const known = rooms.get(asked.room)?.joinedWith(asked.joinKey)
      if (known !== undefined && known.instance === asked.instance && continues(known, grant)) {
        return this.#comeBack(known, asked, uplink, false, grant)
      }
      return {
        member: this.#enter(asked, this.#room(asked.room, grant), undefined, uplink, rate, grant),
        resumed: false,
      }
    }
    const claims = this.#claims(asked, asked.token)
    if (claims.userId !== grant.userId) throw invalidToken()
    const id = claims.peerId
    const known = rooms.get(asked.room)?.get(id)
    if (known !== undefined) {
      if (!continues(known, grant)) throw invalidToken()
      return this.#comeBack(known, asked, uplink, true, grant)
    }
    // A good token of a member we do not know: it is from before a restart.
    const member = this.#enter(asked, this.#room(asked.room, grant), claims, uplink, rate, grant)
    member.tokenExpiresAtMs = claims.expiresAtMs
    return { member, resumed: true }
  }

  /** From now on this is what the member may do. @throws Refusal `denied`, which leaves everything as it was */
  regrant(member: Member, grant: Grant): void {
    if (!continues(member, grant)) {
      throw new Refusal('denied', 'the access token is of another user, or gives or takes the right to see members')
    }
    const changes = member.update({ grant, ...(grant.profile === undefined ? {} : { profile: grant.profile }) })
    if (changes !== undefined) member.rate.charge(member.room.changed(member.id, changes))
  }

  credentials(member: Member): Credentials {
    const { clock, options, tokens, iceServers } = this.#dependencies
    const tokenExpiresAtMs = clock.nowMs() + options.tokenTtlMs
    member.tokenExpiresAtMs = Math.max(member.tokenExpiresAtMs, tokenExpiresAtMs)
    const { id: peerId, instance, room, userId, borrowed } = member
    const ice = iceServers(peerId)
    const claims = { room: room.name, peerId, instance, expiresAtMs: tokenExpiresAtMs, borrowed }
    return {
      token: tokens.sign(userId === undefined ? claims : { ...claims, userId }),
      tokenExpiresAtMs,
      iceServers: ice.servers,
      iceExpiresAtMs: ice.expiresAtMs,
    }
  }

  /** Everyone must be told, and nothing of that can be dropped: who changes, pays for all of it with its own rate. */
  setProfile(member: Member, profile: Json): void {
    if (member.grant.profile !== undefined) throw new Refusal('denied', 'the access token sets the profile')
    const changes = member.update({ profile })
    if (changes !== undefined) member.rate.charge(member.room.changed(member.id, changes))
  }

  /** The uplink is gone, and with it the member unless it comes back within its grace period. */
  dropped(member: Member, uplink: SessionUplink): void {
    if (this.#stopped || member.uplink !== uplink) return
    const { clock, options } = this.#dependencies
    member.uplink = undefined
    member.stopDropReports()
    this.#away.add(member)
    const graceMs = Math.min(uplink.graceMs ?? options.graceMs, options.graceMs)
    member.graceTimer = clock.setTimeout(() => this.end(member, 'expired'), graceMs)
    const changes = member.update({ presence: 'away' })
    if (changes !== undefined) member.room.changed(member.id, changes)
  }

  /** The member is gone for good; its tokens are refused from now on. Its uplink, if it has one, is the caller's. */
  end(member: Member, reason: LeaveReason): void {
    const { departures, rooms, users, watcher } = this.#dependencies
    if (member.room.get(member.id) !== member) return
    this.#stopGrace(member)
    member.uplink = undefined
    // Whom it spoke to, and whom that one spoke to, could be remembered by whoever spoke to it last, one after the other.
    member.spokeTo = undefined
    member.stopDropReports()
    this.#members -= 1
    this.#arrivals.exit(member.addressGroup)
    departures.add(member.id, member.tokenExpiresAtMs)
    users.remove(member)
    member.room.remove(member, reason, reason === 'expired' ? this.#accessLeftMs(member) : undefined)
    watcher?.left(member, reason)
    rooms.release(member.room)
    if (member.room.size === 0) watcher?.emptied(member.room.name)
  }

  /** The server goes away: forget everyone, ending nobody, so that all may resume elsewhere or after the restart. */
  stop(): void {
    this.#stopped = true
    for (const member of this.#away) this.#stopGrace(member)
    for (const room of this.#dependencies.rooms.all()) {
      for (const member of room.members.values()) member.stopDropReports()
    }
    this.#dependencies.rooms.clear()
    this.#dependencies.users.clear()
    this.#members = 0
  }

  /** How long the member's access would have been good; undefined where that has no end. */
  #accessLeftMs({ grant }: Member): number | undefined {
    const { expiresAtMs } = grant
    return expiresAtMs === undefined ? undefined : Math.max(0, expiresAtMs - this.#dependencies.clock.nowMs())
  }

  #claims(message: JoinMessage, token: string): SessionClaims {
    const { clock, departures, tokens } = this.#dependencies
    const verdict = tokens.verify(token, clock.nowMs())
    if (verdict.is === 'expired') throw sessionEnded('the session token has run out')
    if (verdict.is === 'invalid') throw invalidToken()
    const { room, instance, peerId } = verdict.claims
    if (room !== message.room || instance !== message.instance) throw invalidToken()
    if (departures.has(peerId, clock.nowMs())) throw sessionEnded('the member has left')
    return verdict.claims
  }

  #comeBack(member: Member, message: JoinMessage, uplink: SessionUplink, resumed: boolean, grant: Grant): Joined {
    if (!this.#arrivals.comeBack(uplink.addressGroup)) throw this.#tooMany()
    const older = member.uplink
    this.#stopGrace(member)
    member.uplink = undefined
    older?.replaced()
    member.seen(message.published)
    const changes = member.update({ profile: message.profile, presence: 'here', grant, seal: message.seal })
    if (changes !== undefined) member.rate.charge(member.room.changed(member.id, changes))
    // Only now: telling the others may cause more events, and the welcome, which covers those, must come first.
    member.uplink = uplink
    uplink.useRate(member.rate)
    return { member, resumed }
  }

  #room(name: string, { rights }: Grant): Room<Member> {
    const { rooms, options } = this.#dependencies
    const room = rooms.get(name) ?? rooms.open(name)
    if (room === undefined) throw this.#full('server-full', 'the server has no more rooms')
    if (room.size >= options.membersPerRoom) {
      throw this.#full('room-full', `the room has ${options.membersPerRoom} members`)
    }
    if (rights.has('members') && room.members.size >= options.listedMembers) {
      throw this.#full('room-full', `the room has ${options.listedMembers} members that see each other`)
    }
    return room
  }

  #tooMany(): Refusal {
    return this.#full('too-many-connections', 'too many members came from one address')
  }

  #full(code: 'server-full' | 'room-full' | 'too-many-connections', message: string): Refusal {
    const { options, random } = this.#dependencies
    return new Refusal(code, message, CLOSE.tryLater, spread(options.retryAfterMs, random))
  }

  #enter(
    message: JoinMessage,
    room: Room<Member>,
    claims: SessionClaims | undefined,
    uplink: SessionUplink,
    rate: Rate,
    grant: Grant,
  ): Member {
    if (!this.#arrivals.enter(uplink.addressGroup)) {
      this.#dependencies.rooms.release(room)
      throw this.#tooMany()
    }
    const { instance, joinKey } = message
    rate.share(this.#arrivals.work(uplink.addressGroup, this.#dependencies.options.deliveriesPerSecond))
    const member = new Member({
      id: claims?.peerId ?? this.#newId(room),
      addressGroup: uplink.addressGroup,
      instance,
      borrowed: claims === undefined ? isShown(room, instance, joinKey) : claims.borrowed === true,
      room,
      joinKey,
      profile: message.profile,
      seal: message.seal,
      grant,
      joinedAtMs: this.#dependencies.clock.nowMs(),
      rate,
      keep: this.#dependencies.keep,
      newDropReports: this.#newDropReports,
    })
    this.#members += 1
    const { users, watcher } = this.#dependencies
    if (room.size === 0) watcher?.opened(room.name)
    users.add(member)
    room.add(member)
    watcher?.joined(member, claims !== undefined)
    // After the others were told, as in `#comeBack`.
    member.uplink = uplink
    return member
  }

  #newId(room: Room<Member>): PeerId {
    // 0 stands for "no id" in an envelope.
    for (;;) {
      const id = randomHex(PEER_ID_BYTES, this.#dependencies.random) as PeerId
      if (id !== '0000000000000000' && room.get(id) === undefined) return id
    }
  }

  #stopGrace(member: Member): void {
    this.#away.delete(member)
    if (member.graceTimer !== undefined) this.#dependencies.clock.clearTimeout(member.graceTimer)
    member.graceTimer = undefined
  }
}

/** Whether a session goes on under this grant: whose it is, and whether others see it, do not change. */
const continues = (member: Member, grant: Grant): boolean =>
  member.userId === grant.userId && member.hidden !== grant.rights.has('members')

/** By somebody else, who was the first to show it. */
function isShown({ members }: Room<Member>, instance: InstanceId, joinKey: string): boolean {
  for (const other of members.values()) {
    if (other.instance === instance && other.joinKey !== joinKey && !other.borrowed) return true
  }
  return false
}

const invalidToken = (): Refusal =>
  new Refusal(
    'token-invalid',
    'the session token is not good for this room and instance: join without it',
    CLOSE.sessionEnded,
  )

const sessionEnded = (why: string): Refusal =>
  new Refusal('session-ended', `${why}: join again as a new member`, CLOSE.sessionEnded)
