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
  decodePing,
  decodeText,
  encodeGreeted,
  encodePing,
  encodePong,
  FRAME,
  frameType,
  LINK_CHANNEL_NAME,
  type LinkMessage,
  type MemberInfo,
  ProtocolError,
  parseLinkMessage,
} from '../../../signaling/protocol/index.ts'
import type { Arrived } from '../delivery/channel-order.ts'
import type { HandedOn } from '../delivery/link-receiver.ts'
import { LinkSender } from '../delivery/link-sender.ts'
import type { MissedReason, PathKind } from '../face.ts'
import { Alarm } from './alarm.ts'
import { Handshake } from './handshake.ts'
import type { LinkDeps } from './link-deps.ts'
import { LinkIntake } from './link-intake.ts'
import { LinkPaths } from './link-paths.ts'
import { RelayOutlet } from './relay-outlet.ts'
import type { WatchedPath } from './watched-path.ts'

export class Link {
  readonly sender: LinkSender
  readonly #handshake: Handshake
  readonly #alarm: Alarm
  readonly #paths: LinkPaths
  readonly #intake: LinkIntake
  /** Names of `latest` channels that the peer has declared. */
  readonly #declared = new Map<number, string>()
  #peerUplinkRttMs = 0
  #ended = false
  #peerHere = false
  badFrames = 0
  bytesReceived = 0

  constructor(
    readonly member: MemberInfo,
    private readonly deps: LinkDeps,
    /** There was a link to this member before: the peer may not know yet that it is over. */
    again = false,
    handed: HandedOn = new Map(),
  ) {
    const [roomSmall, roomBulk] = deps.outbox.roomStreams
    this.#handshake = new Handshake(member.instance)
    this.#alarm = new Alarm(deps.clock, () => this.#service())
    this.sender = new LinkSender(member.id, roomSmall, roomBulk, deps.firstSeq, {
      relay: () => this.#paths.relay,
      overdue: (outlet) => {
        this.#paths.suspect(outlet)
        this.#alarm.by(deps.clock.now())
      },
      relayLoss: (overdue) => this.#relayLoss(overdue),
      progress: (bytes, tag) => this.#progress(bytes, tag),
      bulkOutlet: (outlet) => this.#paths.bulkOutlet(outlet),
      bulkWaits: () => {
        const { watched } = this
        if (watched?.kind === 'direct') deps.bulkWaits(this, watched)
      },
      askForAck: () => this.sender.outlet?.send('control', encodePing(0, true)),
    })
    const { clock } = deps
    const alarm = this.#alarm
    this.#paths = new LinkPaths({
      sender: this.sender,
      clock,
      alarm,
      changed: () => deps.changed(this),
      gaveUp: (path) => {
        deps.gaveUp(this, path, 'no answer')
        this.removePath(path)
      },
    })
    this.#intake = new LinkIntake(
      { ...deps, alarm, paths: this.#paths, message: (message) => this.#message(message) },
      handed,
    )
    this.sender.held = again
    deps.budget.links += 1
    this.#begin(false)
  }

  get path(): PathKind {
    return this.#paths.kind
  }

  /** Whether a direct path is usable: the member is then not gone, whatever the server says. */
  get reachableDirectly(): boolean {
    return this.#paths.reachableDirectly
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
    return this.#paths.suspended
  }

  get duplicates(): number {
    return this.#intake.repeats
  }

  /** Of what that member says to the room, over all links to it. */
  get handed(): HandedOn {
    return this.#intake.handed
  }

  /** The peer connection in use. */
  get watched(): WatchedPath | undefined {
    return this.#paths.watched
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
    if (usable && !this.#peerHere) this.sender.reachable(nowMs)
    this.#peerHere = usable
    if (usable === (this.#paths.relay !== undefined) && !fresh) return
    const transmit = (frame: Uint8Array): boolean => this.deps.relay(this.member.id, frame)
    if (usable) this.#handshake.hurry(nowMs)
    this.#paths.replaceRelay(usable ? new RelayOutlet(this.deps.nextTag(), transmit) : undefined)
    this.#service()
  }

  addPath(path: WatchedPath): void {
    if (this.#ended) return
    this.#paths.add(path)
    this.#service()
  }

  removePath(path: WatchedPath): void {
    if (this.#ended) return
    this.#intake.forget(path)
    if (this.#paths.remove(path)) this.#service()
  }

  pathChanged(): void {
    this.#paths.choose()
  }

  #relayLoss(overdue: boolean): void {
    this.#paths.relay?.lost(this.deps.clock.now())
    if (overdue) this.deps.suspectUplink()
  }

  /** The server says that it dropped frames for this member. */
  relayDropped(): void {
    this.#paths.relay?.lost(this.deps.clock.now())
  }

  #progress(bytes: number, tag: number): void {
    const { relay } = this.#paths
    if (relay?.tag === tag) relay.acknowledged(bytes)
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
        this.#intake.piece(frame, via)
        return
      case FRAME.ack:
        if (!this.sender.held) this.#handshake.greeted()
        this.sender.acknowledge(decodeAck(frame), nowMs)
        this.arm()
        return
      case FRAME.ping: {
        const { nonce, wantsAck } = decodePing(frame)
        if (wantsAck) this.#intake.asked(via)
        else this.#reply(encodePong(nonce), via)
        return
      }
      case FRAME.pong:
        if (via !== undefined) this.#pong(via, decodePing(frame).nonce, nowMs)
        return
      case FRAME.greet:
        this.#greeting(frame, via)
        return
      case FRAME.greeted:
        this.#handshake.greeted(decodeGreeted(frame).generation)
        if (!this.sender.held || !this.#handshake.confirmed) return
        this.sender.held = false
        this.sender.reachable(nowMs)
        this.#service()
        return
      case FRAME.latest: {
        const latest = decodeLatest(frame)
        const name = this.#declared.get(latest.channel) ?? this.#intake.channelName(latest.channel)
        if (name !== undefined) this.deps.latest(this, name, latest)
        return
      }
    }
  }

  #reply(frame: Uint8Array, via: WatchedPath | undefined): void {
    if (via !== undefined) via.send('control', frame)
    else this.#paths.relay?.send('control', frame)
  }

  #pong(via: WatchedPath, nonce: number, nowMs: number): void {
    const trusted = via.usable
    via.answered(nonce, nowMs)
    if (trusted || !via.usable) return
    this.deps.proven(this, via)
    this.#handshake.hurry(nowMs)
    this.#paths.choose()
    this.#service()
  }

  #greeting(frame: Uint8Array, via: WatchedPath | undefined): void {
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
    this.#intake.begin(greeting)
    this.sender.peerDelayMs = greeting.delayMs
    for (const { channel, name } of greeting.channels) this.#declared.set(channel, name)
    if (greeting.afterCut) this.deps.gap(this)
    this.deps.reached(this, greeting.channels)
    this.#intake.takeEarly((early, by) => {
      try {
        this.#intake.piece(early, by)
      } catch (error) {
        this.#bad(error)
      }
    })
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
    this.#intake.drain(channelName)
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
    this.#paths.check(nowMs)
    this.#greet(nowMs)
    this.deps.outbox.pump(this.sender)
    this.#intake.check(nowMs)
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
    this.#intake.end()
    this.deps.budget.links -= 1
    this.sender.setOutlet(undefined)
    this.sender.abandon(reason)
    this.#paths.clear()
  }
}
