import type { Users } from '../access/users.ts'
import type { Clock } from '../clock.ts'
import type { Presence } from '../protocol/control.ts'
import type { Json } from '../protocol/guards.ts'
import { type FillRandom, type PeerId, randomHex } from '../protocol/ids.ts'
import type { Published } from '../protocol/published.ts'
import type { Member } from '../sessions/member.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Rooms } from './rooms.ts'

export interface RoomSummary {
  readonly name: string
  /** The away and the hidden ones included. */
  readonly members: number
  readonly away: number
  /** Members without the right to see members: nobody sees them either. */
  readonly hidden: number
}

export interface MemberSummary {
  readonly id: PeerId
  readonly userId: string | undefined
  readonly profile: Json
  readonly presence: Presence
  readonly hidden: boolean
  /** ms since 1970; of the joining, not of the last connection. */
  readonly joinedAtMs: number
}

/** Whom a message is for: everyone in a room, one member, or all members of a user, in one room or everywhere. */
export type Audience =
  | { readonly to: 'room'; readonly room: string }
  | { readonly to: 'member'; readonly room: string; readonly id: PeerId }
  | { readonly to: 'user'; readonly userId: string; readonly room: string | undefined }

/** One of the two. */
export type PublishedContent = Pick<Published, 'data' | 'base64'>

export interface PublishedTo {
  /** Of the message, the same at all who get it. */
  readonly id: string
  readonly sentAtMs: number
  /** Members who have it, or get it when they come back within their grace. */
  readonly members: number
}

export interface DirectoryDependencies {
  readonly clock: Clock
  readonly random: FillRandom
  readonly rooms: Rooms<Member>
  readonly sessions: Sessions
  readonly users: Users<Member>
}

const ID_BYTES = 8

/** What backends and operators see of rooms and members, and what they may do. */
export class Directory {
  readonly #dependencies: DirectoryDependencies

  constructor(dependencies: DirectoryDependencies) {
    this.#dependencies = dependencies
  }

  /** All rooms, in no order. */
  rooms(): readonly RoomSummary[] {
    return [...this.#dependencies.rooms.all()].map(({ name }) => this.room(name)).filter((room) => room !== undefined)
  }

  room(name: string): RoomSummary | undefined {
    const room = this.#dependencies.rooms.get(name)
    if (room === undefined) return undefined
    let away = 0
    for (const member of room.all()) if (member.info.presence === 'away') away += 1
    return { name, members: room.size, away, hidden: room.size - room.members.size }
  }

  /** Undefined when there is no such room. */
  members(name: string): readonly MemberSummary[] | undefined {
    return this.#dependencies.rooms
      .get(name)
      ?.all()
      .map(({ id, userId, info, hidden, joinedAtMs }) => {
        const { profile, presence } = info
        return { id, userId, profile, presence, hidden, joinedAtMs }
      })
  }

  /**
   * At once; its session is over. False when there is no such member: the others hear of it all the same, who may keep
   * one that is gone from here by direct paths.
   */
  remove(room: string, id: PeerId): boolean {
    const present = this.#dependencies.rooms.get(room)
    const member = present?.get(id)
    if (member === undefined) {
      present?.dismiss(id)
      return false
    }
    this.#remove([member])
    return true
  }

  /** Remove everyone. How many that were; undefined when there is no such room. Whoever joins next opens it anew. */
  close(room: string): number | undefined {
    const members = this.#dependencies.rooms.get(room)?.all()
    if (members !== undefined) this.#remove(members)
    return members?.length
  }

  /** Give a message to everyone it is for, in the order in which this is called. Nobody being there is no error. */
  publish(audience: Audience, channel: string, content: PublishedContent): PublishedTo {
    const { clock, random } = this.#dependencies
    const members = this.#audience(audience)
    const id = randomHex(ID_BYTES, random)
    const sentAtMs = clock.nowMs()
    const rest = JSON.stringify({ id, channel, to: audience.to, sentAtMs, ...content }).slice(1)
    for (const member of members) member.publish(rest)
    return { id, sentAtMs, members: members.length }
  }

  #audience(audience: Audience): readonly Member[] {
    const { rooms, users } = this.#dependencies
    const { room } = audience
    if (audience.to === 'user') {
      return [...users.of(audience.userId)].filter((member) => room === undefined || member.room.name === room)
    }
    if (audience.to === 'room') return rooms.get(audience.room)?.all() ?? []
    const member = rooms.get(audience.room)?.get(audience.id)
    return member === undefined ? [] : [member]
  }

  #remove(members: readonly Member[]): void {
    const uplinks = members.map(({ uplink }) => uplink)
    // First, so that those who go are not told of each other.
    for (const member of members) member.uplink = undefined
    for (const member of members) this.#dependencies.sessions.end(member, 'removed')
    for (const uplink of uplinks) uplink?.removed()
  }
}
