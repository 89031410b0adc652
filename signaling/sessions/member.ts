import { type Grant, memberAccess, sameRights } from '../access/grant.ts'
import type { Timer } from '../clock.ts'
import type { Rate } from '../limits/rate.ts'
import { RIGHTS, type Right } from '../protocol/access.ts'
import type { MemberInfo, Presence, ServerMessage } from '../protocol/control.ts'
import type { Json } from '../protocol/guards.ts'
import { type InstanceId, type PeerId, wordsOf } from '../protocol/ids.ts'
import type { Room, RoomMember } from '../rooms/room.ts'
import type { DropReports } from '../router/drop-reports.ts'
import type { Outlet } from '../router/outlet.ts'
import type { Sender } from '../router/router.ts'
import type { News } from '../router/waiting.ts'
import { PublishedQueue } from './published.ts'

/** An uplink as its session sees it. */
export interface SessionUplink {
  readonly outlet: Outlet
  /** What its address counts as. */
  readonly addressGroup: string
  /** The shortened grace period the client asked for. */
  readonly graceMs: number | undefined
  /** From now on this member's rate counts. */
  useRate(rate: Rate): void
  /** A newer uplink of the same session has taken over. */
  replaced(): void
  /** The member was removed from the room. */
  removed(): void
}

export interface MemberStart {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly borrowed: boolean
  readonly room: Room<Member>
  readonly joinKey: string
  /** Of the uplink it came by first; it counts against that address until it is gone. */
  readonly addressGroup: string
  readonly profile: Json
  /** As announced: shown to others, and not looked into. */
  readonly seal: string | undefined
  readonly grant: Grant
  /** ms since 1970. */
  readonly joinedAtMs: number
  readonly rate: Rate
  /** Takes what this member wants kept. @throws ProtocolError */
  readonly keep: (member: Member, record: Uint8Array) => void
  /** Makes what tells this member of its drops; most never need it. */
  readonly newDropReports: (send: (message: ServerMessage) => void) => DropReports
}

/** What is another of a member now. */
export interface MemberChanges {
  readonly profile?: Json
  readonly presence?: Presence
  readonly rights?: readonly Right[]
  readonly seal?: string
}

const NOBODY: ReadonlyMap<PeerId, Member> = new Map()

/** A session: a member of a room, with its uplink or, while it is away, without. */
export class Member implements RoomMember, Sender {
  readonly id: PeerId
  readonly idHigh: number
  readonly idLow: number
  readonly instance: InstanceId
  /** A member of another join key showed this instance when it first came. */
  readonly borrowed: boolean
  readonly room: Room<Member>
  readonly joinKey: string
  readonly addressGroup: string
  readonly rate: Rate
  readonly joinedAtMs: number
  /** The right to see members, and to be one that is seen, is for the whole session. */
  readonly hidden: boolean
  readonly #keep: MemberStart['keep']
  readonly #newDropReports: MemberStart['newDropReports']
  #grant: Grant
  #forwardRights: ReadonlySet<Right> | undefined
  #published: PublishedQueue | undefined
  #dropReports: DropReports | undefined
  /** Until when the newest session token is good. */
  tokenExpiresAtMs = 0
  /** Runs while the member is away. */
  graceTimer: Timer | undefined
  outlet: Outlet | undefined
  mark = 0
  spokeTo: Member | undefined
  spokeAt = -1
  #uplink: SessionUplink | undefined
  #info: MemberInfo

  constructor(start: MemberStart) {
    this.id = start.id
    const { idHigh, idLow } = wordsOf(start.id)
    this.idHigh = idHigh
    this.idLow = idLow
    this.instance = start.instance
    this.borrowed = start.borrowed
    this.room = start.room
    this.joinKey = start.joinKey
    this.addressGroup = start.addressGroup
    this.rate = start.rate
    this.#keep = start.keep
    this.#newDropReports = start.newDropReports
    this.joinedAtMs = start.joinedAtMs
    this.hidden = !start.grant.rights.has('members')
    this.#grant = start.grant
    this.#info = {
      ...{ id: start.id, instance: start.instance, profile: start.profile, presence: 'here' },
      ...memberAccess(start.grant),
      ...(start.seal === undefined ? {} : { seal: start.seal }),
    }
    this.#limit()
  }

  get grant(): Grant {
    return this.#grant
  }

  get userId(): string | undefined {
    return this.#grant.userId
  }

  get forwardRights(): ReadonlySet<Right> | undefined {
    return this.#forwardRights
  }

  get sealed(): boolean {
    return this.#info.seal !== undefined
  }

  get info(): MemberInfo {
    return this.#info
  }

  get reach(): ReadonlyMap<PeerId, Member> {
    return this.hidden ? NOBODY : this.room.members
  }

  get reachChanges(): number {
    return this.room.changes
  }

  get dropReports(): DropReports {
    this.#dropReports ??= this.#newDropReports((message) => this.control(JSON.stringify(message)))
    return this.#dropReports
  }

  /** Nobody is there to be told. */
  stopDropReports(): void {
    this.#dropReports?.stop()
  }

  get uplink(): SessionUplink | undefined {
    return this.#uplink
  }

  set uplink(uplink: SessionUplink | undefined) {
    this.#uplink = uplink
    this.outlet = uplink?.outlet
    this.room.changes += 1
  }

  control(text: string, news?: News): void {
    this.outlet?.control(text, news)
  }

  store(record: Uint8Array): void {
    this.#keep(this, record)
  }

  /** A message from a backend: the text of its JSON object without the opening brace. Kept until it was seen. */
  publish(rest: string): void {
    this.#published ??= new PublishedQueue()
    this.control(this.#published.add(rest))
  }

  /** The client has what was published up to this number. */
  seen(n: number | undefined): void {
    if (n !== undefined) this.#published?.seen(n)
  }

  /** What was published and not seen, for a new uplink, and the number before it. */
  get unseen(): { readonly before: number; readonly texts: readonly string[] } {
    return { before: this.#published?.before ?? 0, texts: this.#published?.texts() ?? [] }
  }

  /** Takes what differs from what is known, and says what that was; undefined when nothing does. */
  update(next: {
    readonly profile?: Json
    readonly presence?: Presence
    readonly grant?: Grant
    readonly seal?: string | undefined
  }): MemberChanges | undefined {
    const { profile, presence, grant = this.#grant, seal } = next
    const sameAsBefore = sameRights(grant, this.#grant)
    this.#grant = grant
    this.#limit()
    const { rights = RIGHTS } = memberAccess(grant)
    const changes = {
      ...(profile === undefined || JSON.stringify(profile) === JSON.stringify(this.#info.profile) ? {} : { profile }),
      ...(presence === undefined || presence === this.#info.presence ? {} : { presence }),
      ...(sameAsBefore ? {} : { rights }),
      ...(seal === undefined || seal === this.#info.seal ? {} : { seal }),
    }
    if (Object.keys(changes).length === 0) return undefined
    this.#info = { ...this.#info, ...changes }
    return changes
  }

  #limit(): void {
    const { rights } = this.#grant
    this.#forwardRights = rights.has('publish') && rights.has('direct') ? undefined : rights
  }
}
