/**
 * All there is between this member and one other: the paths, and the delivery state above them.
 *
 * Frames leave by the one path that `choosePath` picks; they come in by any. What a path loses, the sender half sends
 * again by another. The link ends when its member leaves, or has forgotten it, and is never continued: a member that
 * comes back gets a new link.
 */
import {
  decodeAck,
  decodeGreeted,
  decodeGreeting,
  decodeLatest,
  decodePiece,
  decodePing,
  decodeText,
  encodeAck,
  encodeGreeted,
  encodePing,
  encodePong,
  FRAME,
  frameType,
  type Greeting,
  type InstanceId,
  type LatestFrame,
  LIMITS,
  LINK_CHANNEL_NAME,
  type LinkMessage,
  type MemberInfo,
  type PeerId,
  ProtocolError,
  parseLinkMessage,
} from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import type { Arrived } from '../delivery/channel-order.ts'
import { type HandedOn, LinkReceiver } from '../delivery/link-receiver.ts'
import { LinkSender } from '../delivery/link-sender.ts'
import type { Outbox } from '../delivery/outbox.ts'
import type { Outlet } from '../delivery/outlet.ts'
import { ownBytes, type ReceiveBudget } from '../delivery/receive-budget.ts'
import type { MissedReason, PathKind } from '../face.ts'
import { Alarm } from './alarm.ts'
import { Handshake } from './handshake.ts'
import { choosePath } from './path-choice.ts'
import { RelayOutlet } from './relay-outlet.ts'
import type { WatchedPath } from './watched-path.ts'

/** Acknowledgements of repeats leave at most this often: a burst of them is answered once. */
const REPEAT_ACK_MS = 5

export interface LinkDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly instance: InstanceId
  readonly outbox: Outbox
  readonly budget: ReceiveBudget
  nextTag(): number
  /** Counts up over all links of the room, so that a new link is newer than any before. */
  nextGeneration(): number
  firstSeq(): number
  /** The relay: one frame to this member. */
  relay(to: PeerId, frame: Uint8Array): boolean
  /** Our own round trip to the server, ms; 0 when unknown. */
  uplinkRttMs(): number
  /** The relay did not answer in time: is the server there? */
  suspectUplink(): void
  /** How long we may hold back an acknowledgement: grows with the room. */
  ackDelayMs(): number
  /** A member that acknowledges nothing for this long, while the server says it is here, is cut off. */
  maxLagMs(): number
  message(link: Link, message: Arrived): boolean
  latest(link: Link, channelName: string, frame: LatestFrame): void
  linkMessage(link: Link, message: LinkMessage): void
  /** The path in use changed. */
  changed(link: Link): void
  /** Neither the direct path in use nor those beside it take more bulk now. */
  bulkWaits(link: Link, path: WatchedPath): void
  /** The peer's greeting has come, with its channels: it will understand what we send. */
  reached(link: Link, channels: Greeting['channels']): void
  /** We gave up what the peer had not acknowledged: what it must know has to be said again. */
  cutOff(link: Link): void
  /** The peer lost what we sent, or we what it sent. */
  gap(link: Link): void
  /** The peer has ended the link: its member is to leave and join again. */
  forgotten(link: Link): void
  /** A path failed: it is given up. */
  gaveUp(link: Link, path: WatchedPath, reason: string): void
  /** A path's first ping was answered. */
  proven(link: Link, path: WatchedPath): void
}

interface Early {
  readonly frame: Uint8Array
  readonly via: WatchedPath | undefined
}

export class Link {
  readonly sender: LinkSender
  readonly #handshake: Handshake
  readonly #alarm: Alarm
  #receiver: LinkReceiver | undefined
  #relay: RelayOutlet | undefined
  readonly #paths = new Set<WatchedPath>()
  #pathKind: PathKind = 'none'
  #early: Early[] = []
  #earlyBytes = 0
  /** Names of `latest` channels that the peer has declared. */
  readonly #declared = new Map<number, string>()
  #peerUplinkRttMs = 0
  #lastRepeatAckMs = Number.NEGATIVE_INFINITY
  /** By which of our paths the newest frame came; absent: the relay. */
  #came: WatchedPath | undefined
  #ended = false
  #peerHere = false
  badFrames = 0
  bytesReceived = 0

  constructor(
    readonly member: MemberInfo,
    private readonly deps: LinkDeps,
    /** There was a link to this member before: the peer may not know yet that it is over. */
    again = false,
    /** Of what that member says to the room, over all links to it. */
    public handed: HandedOn = new Map(),
  ) {
    const [roomSmall, roomBulk] = deps.outbox.roomStreams
    this.#handshake = new Handshake(member.instance)
    this.#alarm = new Alarm(deps.clock, () => this.#service())
    this.sender = new LinkSender(member.id, roomSmall, roomBulk, deps.firstSeq, {
      relay: () => this.#relay,
      overdue: (outlet) => this.#overdue(outlet),
      relayLoss: (overdue) => this.#relayLoss(overdue),
      progress: (bytes, tag) => this.#progress(bytes, tag),
      bulkOutlet: (outlet) => this.#bulkOutlet(outlet),
      bulkWaits: () => {
        const { watched } = this
        if (watched?.kind === 'direct') deps.bulkWaits(this, watched)
      },
      askForAck: () => this.sender.outlet?.send('control', encodePing(0, true)),
    })
    this.sender.held = again
    deps.budget.links += 1
    this.#begin(false)
  }

  get path(): PathKind {
    return this.#pathKind
  }

  /** Whether a direct path is usable: the member is then not gone, whatever the server says. */
  get reachableDirectly(): boolean {
    return this.#ways.some(({ usable }) => usable)
  }

  get rttMs(): number | undefined {
    const { outlet } = this.sender
    if (outlet === undefined) return undefined
    const measured = outlet.roundTrip.smoothedMs
    if (measured !== undefined || outlet.kind !== 'relay') return measured
    const ownMs = this.deps.uplinkRttMs()
    return this.#peerUplinkRttMs > 0 && ownMs > 0 ? ownMs + this.#peerUplinkRttMs : undefined
  }

  /** A direct path is up, but does not answer. */
  get suspended(): boolean {
    return this.#ways.some(({ trust }) => trust === 'suspended')
  }

  get duplicates(): number {
    return this.#receiver?.repeats ?? 0
  }

  /** Peer connections that may be the path in use. */
  get #ways(): WatchedPath[] {
    return [...this.#paths].filter(({ beside }) => !beside)
  }

  /** The peer connection in use. */
  get watched(): WatchedPath | undefined {
    const { outlet } = this.sender
    for (const path of this.#paths) if (path === outlet) return path
    return undefined
  }

  #begin(afterCut: boolean): void {
    const { deps } = this
    this.#handshake.begin(
      {
        generation: deps.nextGeneration(),
        afterCut,
        instance: deps.instance,
        delayMs: deps.ackDelayMs(),
        starts: this.sender.starts(),
        channels: deps.outbox.channelTable(),
      },
      deps.clock.now(),
    )
  }

  // Paths

  /** The server lists the member as here, and the uplink is up. `fresh`: what flew by the relay before is lost. */
  setRelay(usable: boolean, fresh: boolean): void {
    if (this.#ended) return
    const nowMs = this.deps.clock.now()
    const old = this.#relay
    if (usable && !this.#peerHere) this.sender.reachable(nowMs)
    this.#peerHere = usable
    if (usable === (old !== undefined) && !fresh) return
    this.#relay = usable
      ? new RelayOutlet(this.deps.nextTag(), (frame) => this.deps.relay(this.member.id, frame))
      : undefined
    if (usable) this.#handshake.hurry(nowMs)
    this.#choose()
    if (old !== undefined) this.sender.loseFlight(old.tag)
    this.#service()
  }

  addPath(path: WatchedPath): void {
    if (this.#ended) return
    this.#paths.add(path)
    this.#service()
  }

  removePath(path: WatchedPath): void {
    if (!this.#paths.delete(path) || this.#ended) return
    if (this.#came === path) this.#came = undefined
    this.#choose()
    this.sender.loseFlight(path.tag)
    this.#service()
  }

  pathChanged(): void {
    this.#choose()
  }

  #choose(): void {
    const nowMs = this.deps.clock.now()
    const relay = this.#relay
    const current = this.sender.outlet
    const direct = choosePath(this.#ways, current?.tag, nowMs)
    // A direct path that is held back after a failure gives way to the relay for a while.
    const heldBack = direct !== undefined && direct.tag !== current?.tag && direct.heldBackUntilMs > nowMs
    const best: Outlet | undefined = relay !== undefined && (direct === undefined || heldBack) ? relay : direct
    const kind = best?.kind ?? 'none'
    if (best !== current) this.sender.setOutlet(best)
    if (heldBack && direct !== undefined) this.#alarm.by(direct.heldBackUntilMs)
    if (best === current && kind === this.#pathKind) return
    this.#pathKind = kind
    this.deps.changed(this)
  }

  /** The next frame of bulk goes by the one beside that has the least to do, if any is in good health. */
  #bulkOutlet(outlet: Outlet): Outlet {
    let best = outlet
    let leastBytes = Number.POSITIVE_INFINITY
    for (const path of this.#paths) {
      if (!path.beside || !path.usable || path.trust === 'suspect') continue
      const bytes = path.path.bufferedBytes('bulk')
      if (bytes >= leastBytes) continue
      best = path
      leastBytes = bytes
    }
    return best
  }

  #overdue(outlet: Outlet): void {
    const nowMs = this.deps.clock.now()
    for (const path of this.#paths) if (path === outlet) path.suspect(nowMs)
    this.#alarm.by(nowMs)
  }

  #relayLoss(overdue: boolean): void {
    this.#relay?.lost(this.deps.clock.now())
    if (overdue) this.deps.suspectUplink()
  }

  /** The server says that it dropped frames for this member. */
  relayDropped(): void {
    this.#relay?.lost(this.deps.clock.now())
  }

  #progress(bytes: number, tag: number): void {
    if (this.#relay?.tag === tag) this.#relay.acknowledged(bytes)
    this.deps.outbox.trimUnicast(this.sender)
    this.deps.outbox.acknowledged(this.sender)
  }

  /** A path takes frames again. */
  writable(): void {
    if (!this.#ended) this.deps.outbox.writable(this.sender)
  }

  // Frames coming in

  /** A frame of the member, by the relay (`via` absent) or one of our paths. Bad ones are counted and dropped. */
  receive(frame: Uint8Array, via: WatchedPath | undefined): void {
    if (this.#ended) return
    this.bytesReceived += frame.length
    try {
      this.#dispatch(frame, via)
    } catch (error) {
      this.#bad(error)
    }
  }

  #bad(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error
    this.badFrames += 1
  }

  #dispatch(frame: Uint8Array, via: WatchedPath | undefined): void {
    const nowMs = this.deps.clock.now()
    if (frame.length === 0) throw new ProtocolError('frame', 'no bytes')
    switch (frameType(frame)) {
      case FRAME.data:
      case FRAME.fragment:
        this.#piece(frame, via, nowMs)
        return
      case FRAME.ack:
        if (!this.sender.held) this.#handshake.greeted()
        this.sender.acknowledge(decodeAck(frame), nowMs)
        this.arm()
        return
      case FRAME.ping: {
        const { nonce, wantsAck } = decodePing(frame)
        if (wantsAck) {
          this.#came = via
          this.#receiver?.wantAck(true)
          this.#acknowledge(nowMs)
        } else {
          this.#reply(encodePong(nonce), via)
        }
        return
      }
      case FRAME.pong:
        if (via !== undefined) this.#pong(via, decodePing(frame).nonce, nowMs)
        return
      case FRAME.greet:
        this.#greeting(frame, via, nowMs)
        return
      case FRAME.greeted:
        this.#handshake.greeted(decodeGreeted(frame).generation)
        if (!this.sender.held || !this.#handshake.confirmed) return
        this.sender.held = false
        this.#service()
        return
      case FRAME.latest: {
        const latest = decodeLatest(frame)
        const name = this.#declared.get(latest.channel) ?? this.#receiver?.channelName(latest.channel)
        if (name !== undefined) this.deps.latest(this, name, latest)
        return
      }
    }
  }

  #piece(frame: Uint8Array, via: WatchedPath | undefined, nowMs: number): void {
    const receiver = this.#receiver
    if (receiver === undefined) {
      if (this.#earlyBytes + frame.length > LIMITS.earlyBytes) return
      this.#early.push({ frame: ownBytes(frame), via })
      this.#earlyBytes += frame.length
      return
    }
    const taken = receiver.take(decodePiece(frame), nowMs)
    if (this.#ended) return
    this.#came = via
    const delayMs = this.deps.ackDelayMs()
    if (taken === 'repeat' && nowMs - this.#lastRepeatAckMs >= REPEAT_ACK_MS) {
      this.#lastRepeatAckMs = nowMs
      this.#acknowledge(nowMs)
    } else if (receiver.ackWanted(nowMs, delayMs, this.deps.random)) {
      this.#acknowledge(nowMs)
    } else {
      this.#alarm.by(receiver.ackDueMs)
    }
  }

  /**
   * By the path that the newest frame came by, where we trust it too: the peer uses that one, and knows more than we of
   * the way there.
   */
  #acknowledge(nowMs: number): void {
    const receiver = this.#receiver
    const came = this.#came === undefined ? this.#relay : this.#came.usable ? this.#came : undefined
    const outlet = came ?? this.sender.outlet
    // Without a way there, the acknowledgement stays due until there is one.
    if (receiver === undefined || outlet === undefined) return
    if (!outlet.send('control', encodeAck(receiver.takeAck(nowMs, this.deps.ackDelayMs())))) {
      // It is cumulative: the next one says it all. Soon, since this one was due.
      receiver.wantAck(true)
      this.#alarm.by(nowMs + this.deps.ackDelayMs())
    }
  }

  #reply(frame: Uint8Array, via: WatchedPath | undefined): void {
    if (via !== undefined) via.send('control', frame)
    else this.#relay?.send('control', frame)
  }

  #pong(via: WatchedPath, nonce: number, nowMs: number): void {
    const trusted = via.usable
    via.answered(nonce, nowMs)
    if (trusted || !via.usable) return
    this.deps.proven(this, via)
    this.#handshake.hurry(nowMs)
    this.#choose()
    this.#service()
  }

  #greeting(frame: Uint8Array, via: WatchedPath | undefined, nowMs: number): void {
    const greeting = decodeGreeting(frame)
    const verdict = this.#handshake.hear(greeting)
    if (verdict === 'stale') return
    if (verdict === 'forgotten') {
      this.deps.forgotten(this)
      return
    }
    this.#peerUplinkRttMs = greeting.uplinkRttMs
    this.#reply(encodeGreeted(greeting.generation), via)
    if (verdict === 'repeat') return
    this.handed = this.#receiver?.close() ?? this.handed
    const events = { message: (message: Arrived) => this.#message(message) }
    this.#receiver = new LinkReceiver(greeting, this.deps.budget, events, this.handed)
    this.sender.peerDelayMs = greeting.delayMs
    for (const { channel, name } of greeting.channels) this.#declared.set(channel, name)
    if (greeting.afterCut) this.deps.gap(this)
    this.deps.reached(this, greeting.channels)
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    for (const held of early) {
      try {
        this.#piece(held.frame, held.via, nowMs)
      } catch (error) {
        this.#bad(error)
      }
    }
  }

  #message(message: Arrived): boolean {
    if (message.channel !== LINK_CHANNEL_NAME || message.audience !== 'unicast') return this.deps.message(this, message)
    let parsed: LinkMessage
    try {
      parsed = parseLinkMessage(JSON.parse(decodeText(message.body)))
    } catch {
      // Not JSON, or of a kind that we do not know. Its turn passes, or nothing after it would ever have one.
      this.badFrames += 1
      return true
    }
    if (parsed.t === 'declare') this.#declared.set(parsed.channel, parsed.name)
    else this.deps.linkMessage(this, parsed)
    return true
  }

  /** The application takes messages of this channel (again). */
  drain(channelName: string): void {
    const receiver = this.#receiver
    if (receiver === undefined || this.#ended) return
    receiver.drain(channelName)
    const nowMs = this.deps.clock.now()
    if (nowMs >= receiver.ackDueMs || receiver.windowOpened) {
      receiver.wantAck(false)
      this.#acknowledge(nowMs)
    }
  }

  // Time

  /** Something was sent: see to it that its timeout is watched. */
  arm(): void {
    const { outlet, peerDelayMs } = this.sender
    if (outlet === undefined || this.#ended) return
    this.#alarm.by(this.deps.clock.now() + outlet.roundTrip.timeoutMs(peerDelayMs))
  }

  #service(): void {
    if (this.#ended) return
    const nowMs = this.deps.clock.now()
    for (const path of [...this.#paths]) {
      const before = path.trust
      const { verdict, nextMs } = path.check(nowMs)
      if (verdict === 'given-up') {
        this.deps.gaveUp(this, path, 'no answer')
        this.removePath(path)
        continue
      }
      this.#alarm.by(nextMs)
      if (path.trust === 'suspended' && before !== 'suspended') {
        this.#choose()
        this.sender.loseFlight(path.tag)
      }
    }
    this.#choose()
    this.#greet(nowMs)
    this.deps.outbox.pump(this.sender)
    const receiver = this.#receiver
    if (receiver !== undefined) {
      if (nowMs >= receiver.ackDueMs) this.#acknowledge(nowMs)
      else this.#alarm.by(receiver.ackDueMs)
    }
    this.#alarm.by(this.sender.check(nowMs))
    if (this.#peerHere && this.sender.stalledMs(nowMs) > this.deps.maxLagMs()) this.cut()
  }

  #greet(nowMs: number): void {
    const { outlet } = this.sender
    if (outlet !== undefined) {
      const greeting = this.#handshake.due(nowMs, this.deps.uplinkRttMs())
      if (greeting !== undefined) outlet.send('control', greeting)
      this.#alarm.by(this.#handshake.nextMs)
    }
  }

  /** It is hopelessly behind: give up what it has not acknowledged, and begin anew. Both sides are told. */
  cut(): void {
    this.sender.abandon('lagging')
    this.sender.held = true
    this.deps.outbox.trimUnicast(this.sender)
    this.deps.outbox.trim()
    this.#begin(true)
    this.#greet(this.deps.clock.now())
    this.deps.cutOff(this)
  }

  /** The link is over: what was not acknowledged is reported with `reason`. */
  end(reason: MissedReason): void {
    if (this.#ended) return
    this.#ended = true
    this.#alarm.stop()
    this.handed = this.#receiver?.close() ?? this.handed
    this.deps.budget.links -= 1
    this.sender.setOutlet(undefined)
    this.sender.abandon(reason)
    this.#early = []
    this.#paths.clear()
  }
}
