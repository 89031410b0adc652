import type { Right } from '../protocol/access.ts'
import type { LeaveReason, MemberInfo, ServerMessage } from '../protocol/control.ts'
import type { Json } from '../protocol/guards.ts'
import type { PeerId } from '../protocol/ids.ts'
import type { News } from '../router/waiting.ts'

/** A member as its room sees it. */
export interface RoomMember {
  readonly id: PeerId
  readonly joinKey: string
  readonly info: MemberInfo
  /** Neither sees nor is seen: it is in the room for what the server publishes. */
  readonly hidden: boolean
  /** A control message for this member, if it is there to hear it. */
  control(text: string, news?: News): void
}

/**
 * Who is in a room, and the events that say how that changed. Each event has the next version; a client that sees a
 * gap, or another epoch, takes a snapshot. Every event goes to all members but the one it is about.
 */
export class Room<M extends RoomMember> {
  readonly name: string
  /** Random; another one when the room was forgotten in between. */
  readonly epoch: string
  readonly #members = new Map<PeerId, M>()
  readonly #hidden = new Map<PeerId, M>()
  readonly #byJoinKey = new Map<string, M>()
  #version = 0
  /** Counts whatever makes a frame to all take other ways than the last one: comings, goings, changes of uplinks. */
  changes = 0
  /** Being told right now. */
  readonly #events: { readonly about: PeerId | undefined; readonly text: string; readonly news: News | undefined }[] =
    []

  constructor(name: string, epoch: string) {
    this.name = name
    this.epoch = epoch
  }

  get version(): number {
    return this.#version
  }

  /** Those who see each other. */
  get members(): ReadonlyMap<PeerId, M> {
    return this.#members
  }

  /** Of all, the hidden ones included. */
  get size(): number {
    return this.#members.size + this.#hidden.size
  }

  get(id: PeerId): M | undefined {
    return this.#members.get(id) ?? this.#hidden.get(id)
  }

  /** As they are now: they may leave meanwhile. */
  all(): readonly M[] {
    return [...this.#members.values(), ...this.#hidden.values()]
  }

  /** The member who joined with this key, so that a repeated join makes no second one. */
  joinedWith(joinKey: string): M | undefined {
    return this.#byJoinKey.get(joinKey)
  }

  add(member: M): void {
    this.changes += 1
    this.#byJoinKey.set(member.joinKey, member)
    if (member.hidden) {
      this.#hidden.set(member.id, member)
      return
    }
    this.#members.set(member.id, member)
    this.#publish(member.id, { t: 'joined', version: this.#nextVersion(), member: member.info })
  }

  /**
   * The member's profile, presence or rights are others now. A change of profile is told to the member too, which would
   * otherwise miss a version; its presence stands in its welcome. Returns how many bytes it takes to tell everyone.
   */
  changed(
    id: PeerId,
    what: {
      readonly profile?: Json
      readonly presence?: MemberInfo['presence']
      readonly rights?: readonly Right[]
      readonly seal?: string
    },
  ): number {
    if (!this.#members.has(id)) return 0
    const version = this.#nextVersion()
    const { profile, ...others } = what
    const about = profile === undefined ? id : undefined
    // A profile is large, and only the newest counts; its version goes on, so that nobody misses one.
    const short: ServerMessage = { t: 'changed', version, id }
    const news = Object.keys(others).length === 0 ? { key: id, short: JSON.stringify(short) } : undefined
    return this.#publish(about, { ...short, ...what }, news)
  }

  /** `keepMs`: for so long direct paths to it may count. Default: for ever. */
  remove(member: M, reason: LeaveReason, keepMs?: number): void {
    this.changes += 1
    const seen = this.#members.delete(member.id)
    if (!seen && !this.#hidden.delete(member.id)) return
    if (this.#byJoinKey.get(member.joinKey) === member) this.#byJoinKey.delete(member.joinKey)
    if (!seen) return
    const left: ServerMessage = { t: 'left', version: this.#nextVersion(), id: member.id, reason }
    this.#publish(member.id, keepMs === undefined ? left : { ...left, keepMs })
  }

  /** Tell everyone that somebody who is no member any more is none for them either, by whatever path they reach it. */
  dismiss(id: PeerId): void {
    this.#publish(undefined, { t: 'left', version: this.#nextVersion(), id, reason: 'removed' })
  }

  /** Everyone but the one who asks, as far as that one may see. */
  others(id: PeerId): MemberInfo[] {
    const infos: MemberInfo[] = []
    if (this.#hidden.has(id)) return infos
    for (const member of this.#members.values()) if (member.id !== id) infos.push(member.info)
    return infos
  }

  #nextVersion(): number {
    this.#version += 1
    return this.#version
  }

  #publish(about: PeerId | undefined, message: ServerMessage, news?: News): number {
    const text = JSON.stringify(message)
    const told = text.length * this.#members.size
    this.#events.push({ about, text, news })
    // Telling one member may find it unable to listen, which is an event, too: that one comes after this one for all.
    if (this.#events.length > 1) return told
    for (const event of this.#events) {
      for (const member of this.#members.values()) if (member.id !== event.about) member.control(event.text, event.news)
    }
    this.#events.length = 0
    return told
  }
}
