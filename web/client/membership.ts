import {
  type LeaveReason,
  LIMITS,
  type MemberInfo,
  type PeerId,
  type ServerMessage,
} from '../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from './clock.ts'
import { Emitter } from './events.ts'

type Message<Type> = Extract<ServerMessage, { readonly t: Type }>

export interface MembershipEvents {
  join: MemberInfo
  /** Also of one that had not joined yet, as nobody knew whether it may. `lost`: we are a new member ourselves; whoever is still here joins in the same turn. */
  leave: { readonly member: MemberInfo; readonly reason: LeaveReason | 'lost' }
  /** Profile or presence are others now. Before it has joined, too. */
  change: MemberInfo
  /** Events are missing: a snapshot is needed. Events are ignored until it comes. */
  gap: undefined
}

export interface MembershipOptions {
  readonly clock: Clock
  /** Whether a direct path to it is usable: it then stays, `away`, though the server does not list it. */
  reachable(id: PeerId): boolean
  /**
   * Whether it counts as a member; who does not is passed over. `undefined`: not known yet; it joins, or does not, when
   * `decided` is called. Default: everybody does.
   */
  admits?(member: MemberInfo): boolean | undefined
}

interface Entry {
  info: MemberInfo
  /** Runs while the server does not list it and we are online. */
  timer: TimerHandle | undefined
  listed: boolean
  /** Its `join` has been told. */
  joined: boolean
  /** Until when a direct path may keep it although the server does not list it. */
  untilMs: number
}

/**
 * Who is in the room, from what the server says: welcomes and snapshots, and events with consecutive versions under an
 * epoch. A server that restarted lists members as they come back, so in a new epoch nobody is gone before a whole
 * grace period online; the same grace is given to those whom a direct path still reaches.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #events = new Emitter<MembershipEvents>()
  readonly #entries = new Map<PeerId, Entry>()
  #self: PeerId | undefined
  #epoch = ''
  #version = 0
  #graceMs = 0
  /**
   * How long a direct path keeps whom the server lists no more and says nothing of. Where access runs out: as long as
   * session tokens are good, after which nobody comes back as the same member.
   */
  #keepMs = Number.POSITIVE_INFINITY
  /** Between a gap and its snapshot. */
  #lacking = false

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  on<Name extends keyof MembershipEvents>(name: Name, handler: (value: MembershipEvents[Name]) => void): () => void {
    return this.#events.on(name, handler)
  }

  get(id: PeerId): MemberInfo | undefined {
    return this.#entries.get(id)?.info
  }

  /** Whether frames to it may go through the server. */
  listed(id: PeerId): boolean {
    return this.#entries.get(id)?.listed ?? false
  }

  *members(): Iterable<MemberInfo> {
    for (const { info } of this.#entries.values()) yield info
  }

  welcome(message: Message<'welcome'>): void {
    if (this.#self !== undefined && this.#self !== message.peerId) this.#loseAll()
    this.#self = message.peerId
    this.#graceMs = message.graceMs
    const { access, tokenExpiresAtMs, timeMs } = message
    this.#keepMs = access?.expiresAtMs === undefined ? Number.POSITIVE_INFINITY : tokenExpiresAtMs - timeMs
    this.#replace(message)
  }

  /** It does not count as a member any more. */
  expel(id: PeerId): void {
    this.#remove(id, 'left')
  }

  /** It is known now whether it counts. */
  decided(id: PeerId): void {
    const entry = this.#entries.get(id)
    // It may be another that was asked about: one under the same id, of whom a snapshot will tell.
    if (entry === undefined || entry.joined) return
    const isIn = this.#options.admits?.(entry.info)
    if (isIn) this.#joined(entry)
    else if (isIn === false) {
      this.#disarm(entry)
      this.#entries.delete(id)
    }
  }

  /** No uplink: nobody runs out of grace while the server cannot tell us. */
  offline(): void {
    for (const entry of this.#entries.values()) this.#disarm(entry)
  }

  /** No timers remain. Says nothing: the room is over. */
  close(): void {
    this.offline()
    this.#entries.clear()
    this.#events.clear()
  }

  apply(message: Message<'joined' | 'changed' | 'left' | 'snapshot'>): void {
    if (message.t === 'snapshot') {
      this.#replace(message)
      return
    }
    // Before it: the snapshot has it. Beyond the next: something is missing, which only a snapshot brings.
    if (this.#lacking || message.version <= this.#version) return
    if (message.version !== this.#version + 1) {
      this.#lacking = true
      this.#events.emit('gap', undefined)
      return
    }
    this.#version = message.version
    if (message.t === 'joined') this.#list(message.member)
    else if (message.t === 'changed') this.#change(message)
    else this.#left(message.id, message.reason, message.keepMs)
  }

  /** The room's version as the server has just told it: events before that have come, or are lost. */
  heardOf(version: number): void {
    if (this.#lacking || version <= this.#version) return
    this.#lacking = true
    this.#events.emit('gap', undefined)
  }

  #replace({ epoch, version, members }: Message<'welcome' | 'snapshot'>): void {
    const restarted = this.#epoch !== '' && epoch !== this.#epoch
    this.#epoch = epoch
    this.#version = version
    this.#lacking = false
    const present = new Set(members.map(({ id }) => id))
    for (const [id, entry] of [...this.#entries]) {
      if (present.has(id)) continue
      // It left while we did not hear; why, nobody says.
      if (entry.listed && !restarted) this.#left(id, entry.info.presence === 'away' ? 'expired' : 'left', this.#keepMs)
      else {
        if (entry.listed) entry.untilMs = this.#options.clock.now() + this.#keepMs
        this.#unlist(id, entry)
      }
    }
    for (const member of members) this.#list(member)
  }

  #list(member: MemberInfo): void {
    const { id } = member
    if (id === this.#self) return
    let entry = this.#entries.get(id)
    if (entry !== undefined && entry.info.instance !== member.instance) {
      this.#remove(id, 'left')
      entry = undefined
    }
    if (entry === undefined) {
      const isIn = this.#options.admits === undefined || this.#options.admits(member)
      if (isIn === false) return
      const untilMs = Number.POSITIVE_INFINITY
      entry = { info: member, timer: undefined, listed: true, joined: false, untilMs }
      this.#entries.set(id, entry)
      this.#makePlace()
      if (isIn) this.#joined(entry)
      return
    }
    this.#disarm(entry)
    entry.listed = true
    entry.untilMs = Number.POSITIVE_INFINITY
    this.#update(entry, member)
  }

  /**
   * As many are kept as can be listed: those that are not are gone then, the first of them first. A server could list
   * others in epoch after epoch.
   */
  #makePlace(): void {
    if (this.#entries.size <= LIMITS.listedMembers) return
    for (const [id, { listed }] of this.#entries) {
      if (listed) continue
      this.#remove(id, 'expired')
      return
    }
  }

  /** Whether an event of this version would count now. */
  awaits(version: number): boolean {
    return !this.#lacking && version === this.#version + 1
  }

  #joined(entry: Entry): void {
    entry.joined = true
    this.#events.emit('join', entry.info)
  }

  #change({ id, profile, presence, rights }: Message<'changed'>): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#update(entry, {
      ...entry.info,
      ...(profile === undefined ? {} : { profile }),
      ...(presence === undefined ? {} : { presence }),
      ...(rights === undefined ? {} : { rights }),
    })
  }

  #update(entry: Entry, info: MemberInfo): void {
    const before = entry.info
    entry.info = info
    const text = ({ presence, profile, rights }: MemberInfo): string => JSON.stringify([presence, profile, rights])
    const same = text(before) === text(info)
    if (!same) this.#events.emit('change', info)
  }

  #left(id: PeerId, reason: LeaveReason, keepMs = Number.POSITIVE_INFINITY): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.untilMs = this.#options.clock.now() + keepMs
    if (reason === 'expired' && this.#isKept(id, entry)) this.#unlist(id, entry)
    else this.#remove(id, reason)
  }

  /** Unlisted: away, and gone after a whole grace period in which neither the server nor a direct path knows it. */
  #unlist(id: PeerId, entry: Entry): void {
    entry.listed = false
    this.#update(entry, { ...entry.info, presence: 'away' })
    this.#disarm(entry)
    const { clock } = this.#options
    const againMs = Math.min(this.#graceMs, entry.untilMs - clock.now())
    entry.timer = clock.setTimeout(() => {
      if (this.#isKept(id, entry)) this.#unlist(id, entry)
      else this.#remove(id, 'expired')
    }, againMs)
  }

  #isKept(id: PeerId, { untilMs }: Entry): boolean {
    return this.#options.clock.now() < untilMs && this.#options.reachable(id)
  }

  #remove(id: PeerId, reason: LeaveReason | 'lost'): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#disarm(entry)
    this.#entries.delete(id)
    this.#events.emit('leave', { member: entry.info, reason })
  }

  #loseAll(): void {
    for (const id of [...this.#entries.keys()]) this.#remove(id, 'lost')
  }

  #disarm(entry: Entry): void {
    if (entry.timer !== undefined) this.#options.clock.clearTimeout(entry.timer)
    entry.timer = undefined
  }
}
