import type { Channel, PartylineError, Peer, PeerId, RefusedCode, Room, RoomStatus, Sent } from 'partyline'
import { Cell, type Watchable } from '../../ui/cell.ts'
import { deliveryFrom } from '../model/delivery.ts'
import type { Delivery } from '../model/entry.ts'
import { type ChatLine, lineFrom, readLine } from '../model/line.ts'
import { type ChatProfile, nameFrom } from '../model/member.ts'
import { describeProblem, type Ending, endingFrom } from '../model/problem.ts'
import { isAlarming, type Refusal, refusalText, withRefusal } from '../model/refusal.ts'
import { EarlierMessages } from './earlier-messages.ts'
import type { Environment } from './environment.ts'
import { IncomingFiles, type IncomingFilesDependencies } from './incoming-files.ts'
import { MembersStore } from './members-store.ts'
import { departureText, gapText, welcomeText } from './notice-texts.ts'
import { OutgoingFiles, type OutgoingFilesDependencies } from './outgoing-files.ts'
import { SafetyNumbers } from './safety-numbers.ts'
import { TimelineStore } from './timeline-store.ts'
import { TypingChannel } from './typing-channel.ts'
import { keptInThisBrowser, VerifiedMembers, type VerifiedMembersDependencies } from './verified-members.ts'

export interface ChatSessionDependencies {
  readonly environment: Environment
  readonly chooseTarget: IncomingFilesDependencies['chooseTarget']
  readonly measure: OutgoingFilesDependencies['measure']
  /** Whether the room was joined with an identity. Default: no. */
  readonly showsIdentity?: boolean
  /** Default: this browser's storage. */
  readonly verified?: VerifiedMembersDependencies
}

/** How often round-trip times, typing and transfers are looked at, ms. */
const TICK_MS = 1_000
const CHANNEL = 'chat'

/** One visit to one room: listens to the room and keeps what the page shows. */
export class ChatSession {
  readonly room: Room<ChatProfile>
  readonly timeline = new TimelineStore()
  readonly members: MembersStore
  readonly typing: TypingChannel
  readonly incoming: IncomingFiles
  readonly outgoing: OutgoingFiles
  /** From before this visit, where the server keeps them. */
  readonly earlier: EarlierMessages
  /** Whether others see an identity of ours on this visit. */
  readonly showsIdentity: boolean
  readonly safetyNumbers: SafetyNumbers
  /** Whose safety numbers were compared. */
  readonly verified: VerifiedMembers
  readonly #channel: Channel<ChatLine>
  readonly #status: Cell<RoomStatus>
  readonly #self = new Cell<{ readonly id: PeerId | undefined; readonly name: string }>({ id: undefined, name: '' })
  readonly #ending = new Cell<Ending | undefined>(undefined)
  readonly #refusals = new Cell<readonly Refusal[]>([])
  /** Ticks whenever counters that have no event of their own may have changed. */
  readonly #beat = new Cell(0)
  readonly #announced = new Set<PeerId>()
  #isReady = false
  #isUnkeptTold = false

  constructor(room: Room<ChatProfile>, name: string, dependencies: ChatSessionDependencies) {
    const { environment } = dependencies
    this.room = room
    this.#status = new Cell<RoomStatus>(room.status)
    this.#self.value = { id: room.self?.id, name }
    this.members = new MembersStore(room, environment)
    this.showsIdentity = dependencies.showsIdentity ?? false
    this.safetyNumbers = new SafetyNumbers(room)
    this.verified = new VerifiedMembers(dependencies.verified ?? keptInThisBrowser)
    this.typing = new TypingChannel(room, environment)
    this.#channel = room.channel<ChatLine>(CHANNEL)
    this.earlier = new EarlierMessages({
      room,
      channel: CHANNEL,
      timeline: this.timeline,
      isShown: (key) => this.timeline.entries.value.some((entry) => entry.key === key),
      failed: (error) => this.#notice(`Earlier messages could not be had: ${describeProblem(error)}`, 'warning'),
    })
    this.incoming = new IncomingFiles({ timeline: this.timeline, chooseTarget: dependencies.chooseTarget })
    this.outgoing = new OutgoingFiles({
      channel: this.#channel,
      timeline: this.timeline,
      now: () => room.now(),
      selfId: () => room.self?.id,
      nameOf: this.members.nameOf,
      complain: (text) => this.#notice(text, 'warning'),
      measure: dependencies.measure,
    })
    this.#listen()
    const stopBeat = environment.every(TICK_MS, () => this.#tick())
    room.ready.then(
      () => this.#welcomed(),
      () => undefined, // `closed` tells why.
    )
    void room.closed.then((error) => {
      stopBeat()
      this.#closed(error)
    })
  }

  get status(): Watchable<RoomStatus> {
    return this.#status
  }
  get self(): Watchable<{ readonly id: PeerId | undefined; readonly name: string }> {
    return this.#self
  }
  /** Set when the room is over. */
  get ending(): Watchable<Ending | undefined> {
    return this.#ending
  }
  /** Newest first. */
  get refusals(): Watchable<readonly Refusal[]> {
    return this.#refusals
  }
  get beat(): Watchable<number> {
    return this.#beat
  }

  /** Sends what was typed. @returns whether it was taken: else it stays where it was typed */
  send(typed: string): boolean {
    const line = lineFrom(typed)
    if (line === undefined) return false
    this.typing.stop()
    try {
      const sent = this.#say(line)
      this.timeline.add({
        kind: 'message',
        key: sent.id,
        atMs: this.room.now(),
        // Before the first welcome we have no id yet; rows of our own are told by `own`.
        from: this.room.self?.id ?? ('' as PeerId),
        own: true,
        text: line.text,
        delivery: { at: 'sending' },
      })
      this.#follow(sent)
      return true
    } catch (error) {
      this.#notice(`Not sent: ${describeProblem(error)}`, 'warning')
      return false
    }
  }

  /** Where the server keeps the room, it keeps what is said, too. */
  #say(line: ChatLine): Sent {
    if (!this.#isKept) return this.#channel.send(line)
    const sent = this.#channel.send(line, { store: true })
    const kept = (): void =>
      this.timeline.change(sent.id, (entry) =>
        entry.kind === 'message' && entry.delivery?.at === 'nobody' ? { ...entry, delivery: { at: 'kept' } } : entry,
      )
    Promise.all([sent.stored, sent.delivered]).then(kept, (error: unknown) => {
      if (this.#isUnkeptTold || this.#status.value === 'closed') return
      this.#isUnkeptTold = true
      this.#notice(`Not kept for those who come later: ${describeProblem(error)}`, 'warning')
    })
    return sent
  }

  /** In a room that is merely sealed, who comes later could not read it. */
  get #isKept(): boolean {
    return this.room.kept !== undefined && this.room.sealing !== 'link' && this.#channelIsKept
  }

  get #channelIsKept(): boolean {
    return (this.room.kept?.channels ?? []).some((pattern) => pattern === CHANNEL || pattern === '*')
  }

  async rename(name: string): Promise<void> {
    const before = this.#self.value
    this.#self.value = { ...before, name }
    try {
      await this.room.setProfile({ name })
    } catch (error) {
      this.#notice(`The others still see your old name: ${describeProblem(error)}`, 'warning')
    }
  }

  /** Leaves; what was sent last gets a moment to arrive. */
  leave(): Promise<void> {
    return this.room.leave({ flushMs: 1_000 })
  }

  #listen(): void {
    const { room } = this
    this.#channel.on('message', ({ id, from, data, sentAtMs }) => {
      const text = readLine(data)
      if (text === undefined) return
      this.typing.ended(from)
      this.timeline.add({ kind: 'message', key: `${from}/${id}`, atMs: sentAtMs, from, own: false, text })
    })
    this.#channel.on('offer', (offer) => this.incoming.offered(offer))
    room.on('status', (status) => {
      this.#status.value = status
    })
    room.on('join', (peer) => {
      this.members.refresh()
      this.#announce(peer)
    })
    room.on('change', (peer) => this.#changed(peer))
    room.on('leave', ({ peer, reason }) => {
      this.safetyNumbers.gone(peer.id)
      this.members.refresh()
      this.typing.ended(peer.id)
      this.#announced.delete(peer.id)
      const name = this.members.nameOf(peer.id)
      const sameNameHere = this.members.members.value.some((member) => member.name === name)
      this.#notice(departureText(name, reason, sameNameHere), 'plain')
    })
    room.on('refused', ({ id, error }) => this.#refused(id, error))
    room.on('gap', ({ peer, reason }) => this.#notice(gapText(this.members.nameOf(peer.id), reason), 'warning'))
  }

  /** Each kind of each member is told once; how often it was is in the list behind the lock. */
  #refused(id: PeerId, error: PartylineError): void {
    const code = error.code as RefusedCode
    const text = refusalText(error, this.members.names.value.get(id))
    const isNew = !this.#refusals.value.some((one) => one.id === id && one.code === code)
    this.#refusals.value = withRefusal(this.#refusals.value, { id, code, text, atMs: this.room.now() })
    if (isNew) this.#notice(text, isAlarming(code) ? 'warning' : 'plain')
  }

  #welcomed(): void {
    this.#isReady = true
    this.#self.value = { ...this.#self.value, id: this.room.self?.id }
    this.members.refresh()
    for (const id of this.room.peers.keys()) this.#announced.add(id)
    if (this.#isKept) void this.earlier.look()
    this.#notice(welcomeText(this.members.members.value.map((member) => member.name)), 'plain')
  }

  #closed(error: PartylineError | undefined): void {
    this.#status.value = 'closed'
    this.#ending.value = endingFrom(error)
  }

  /** Those who were here before us are in the welcome line, not in a line each. */
  #announce(peer: Peer<ChatProfile>): void {
    if (!this.#isReady || this.#announced.has(peer.id)) return
    this.#announced.add(peer.id)
    this.#notice(`${this.members.nameOf(peer.id)} came in`, 'plain')
  }

  #changed(peer: Peer<ChatProfile>): void {
    const before = this.members.names.value.get(peer.id)
    this.members.refresh()
    const now = nameFrom(peer.profile, peer.id)
    if (before !== undefined && before !== now) this.#notice(`${before} is now called ${now}`, 'plain')
  }

  #follow(sent: Sent): void {
    const show = (delivery: Delivery): void =>
      this.timeline.change(sent.id, (entry) => (entry.kind === 'message' ? { ...entry, delivery } : entry))
    let isOver = false
    sent.accepted.then(
      () => {
        if (!isOver) show({ at: 'sent' })
      },
      (error: unknown) => {
        isOver = true
        show({ at: 'failed', why: describeProblem(error) })
      },
    )
    void sent.delivered.then((outcome) => {
      if (isOver) return
      isOver = true
      show(deliveryFrom(outcome, this.members.nameOf))
    })
  }

  #notice(text: string, tone: 'plain' | 'warning'): void {
    this.timeline.add({ kind: 'notice', key: this.timeline.newKey(), atMs: this.room.now(), text, tone })
  }

  #tick(): void {
    this.members.tick()
    this.typing.tick()
    this.outgoing.tick()
    if (this.verified.hasNumbers) {
      // Somebody who was lost is back, with the number that was compared.
      for (const { id, identity } of this.members.members.value) {
        if (identity === undefined) void this.safetyNumbers.want(id)
      }
    }
    this.#beat.value += 1
  }
}
