/** All links of a room: made and ended as members come and go, fed by the uplink, and given their peer connections. */
import {
  type AboutSelf,
  type Address,
  CONTENT,
  encodeText,
  type Greeting,
  type IceServer,
  type InstanceId,
  type Json,
  type LatestFrame,
  LIMITS,
  LINK_CHANNEL_NAME,
  type LinkMessage,
  type LinkPaths,
  type MemberInfo,
  type PeerId,
} from '../../signaling/protocol/index.ts'
import type { Clock } from './clock.ts'
import type { Arrived } from './delivery/channel-order.ts'
import type { LinkSender } from './delivery/link-sender.ts'
import { Outbox } from './delivery/outbox.ts'
import type { OutgoingChannel } from './delivery/outgoing-channel.ts'
import { ReceiveBudget } from './delivery/receive-budget.ts'
import type { MissedReason } from './face.ts'
import { Link } from './link/link.ts'
import type { LinkDeps } from './link/link-deps.ts'
import { WatchedPath } from './link/watched-path.ts'
import type { AttemptsEvents } from './paths/attempts-options.ts'
import type { PathPolicy } from './paths/ice-servers.ts'
import type { DirectPath } from './paths/path.ts'
import type { RoomPaths } from './paths/room-paths.ts'
import { type PeerSeal, RoomPeer } from './room-peer.ts'

/** Acknowledgements to one sender: at most some 500 a second, over all members. */
const ACK_DELAY_PER_MEMBER_MS = 2
const LEAST_ACK_DELAY_MS = 20
/**
 * Making a peer connection takes some ms in which nothing else runs: the first messages go first. The attempt starts
 * once the peer's greeting has come, with which they come, or after this.
 */
const ATTEMPT_AFTER_MS = 20
/** Only who is taken for gone by mistake comes back under the same id, and within minutes. */
const MOST_PAST = 1_024

export interface RoomLinksDeps {
  readonly clock: Clock
  /** 0 ≤ value < 1. */
  readonly random: () => number
  readonly instance: InstanceId
  readonly policy: PathPolicy
  /** Never rejects. */
  readonly directPaths: Promise<RoomPaths | undefined>
  /** Room-clock time for the wire. */
  sentNow(): number
  graceMs(): number
  uplinkRttMs(): number
  suspectUplink(): void
  /** A direct path answers (again): the network works. */
  networkWorks(): void
  iceServers(): Promise<readonly IceServer[]>
  readonly seal: PeerSeal
  /** In the room, and no members for us. */
  strangers(): Iterable<PeerId>
  /** Hand a frame to the uplink. */
  relay(address: Address, frame: Uint8Array, slot?: number): boolean
  message(from: PeerId, message: Arrived): boolean
  latest(from: PeerId, channelName: string, frame: LatestFrame): void
  /** A peer's path or reason changed. */
  changed(peer: RoomPeer<Json>): void
  gap(peer: RoomPeer<Json>): void
  /** The other side has ended the link: the member is to leave and join again. */
  forgotten(peer: RoomPeer<Json>): void
  /** The first usable path to a new member is there; these are its channels. */
  reached(peer: RoomPeer<Json>, channels: Greeting['channels']): void
  /** A member may not have what it was told of us. */
  cutOff(peer: RoomPeer<Json>): void
  /** What a member says of itself. */
  said(peer: RoomPeer<Json>, message: AboutSelf): void
}

export class RoomLinks {
  readonly outbox: Outbox
  readonly #budget = new ReceiveBudget()
  readonly #peers = new Map<PeerId, RoomPeer<Json>>()
  readonly #linkChannel: OutgoingChannel
  /** Members whose link has ended, the newest of them: they may come back under the same id. */
  readonly #past = new Map<PeerId, Pick<Link, 'handed'> & Pick<MemberInfo, 'instance'>>()
  #lastTag = 0
  #lastGeneration = 0

  constructor(private readonly deps: RoomLinksDeps) {
    this.outbox = new Outbox({
      instance: deps.instance,
      now: () => deps.clock.now(),
      firstSeq: () => this.#firstSeq(),
      broadcast: (_lane, frame, to) => deps.relay(this.#addressOf(to), frame),
      sent: (member) => this.#peers.get(member)?.link.arm(),
      lagging: (sender: LinkSender) => this.#peers.get(sender.member)?.link.cut(),
    })
    this.#linkChannel = this.outbox.openChannel(LINK_CHANNEL_NAME)
  }

  get(id: PeerId): RoomPeer<Json> | undefined {
    return this.#peers.get(id)
  }

  get peers(): ReadonlyMap<PeerId, RoomPeer<Json>> {
    return this.#peers
  }

  /** How many links take which path now. */
  get paths(): LinkPaths {
    const counts = { direct: 0, turn: 0, relay: 0 }
    for (const { path } of this.#peers.values()) if (path !== 'none') counts[path] += 1
    return counts
  }

  #firstSeq(): number {
    return Math.floor(this.deps.random() * 2 ** 32) >>> 0
  }

  /** Whom the relay reaches. */
  *here(): Iterable<PeerId> {
    for (const { id, presence } of this.#peers.values()) if (presence === 'here') yield id
  }

  /** The shortest way to say who gets a frame by the relay. */
  #addressOf(to: readonly PeerId[]): Address {
    const [first] = to
    if (to.length === 1 && first !== undefined) return { kind: 'one', id: first }
    const wanted = new Set(to)
    const others = [...this.deps.strangers()]
    for (const { id, presence } of this.#peers.values()) if (presence === 'here' && !wanted.has(id)) others.push(id)
    if (others.length === 0) return { kind: 'all' }
    if (others.length < to.length && others.length <= LIMITS.envelopeIds) return { kind: 'except', ids: others }
    return { kind: 'several', ids: to }
  }

  /** `initiator`: whether ours is the smaller id, and so we make the peer connections. `relayed`: the relay reaches it. */
  add(info: MemberInfo, initiator: boolean, relayed: boolean): RoomPeer<Json> {
    const past = this.#past.get(info.id)
    const handed = past?.instance === info.instance ? past.handed : undefined
    const link = new Link(info, this.#linkDeps(), past !== undefined, handed)
    const peer = new RoomPeer<Json>(info, link, this.deps.seal)
    this.#peers.set(info.id, peer)
    this.outbox.add(link.sender)
    link.setRelay(relayed, false)
    this.deps.directPaths.then((paths) => {
      if (paths !== undefined && this.#peers.get(info.id) === peer) this.#connect(peer, initiator, paths)
    })
    return peer
  }

  #linkDeps(): LinkDeps {
    const { deps } = this
    const peerOf = (link: Link): RoomPeer<Json> | undefined => {
      const peer = this.#peers.get(link.member.id)
      return peer?.link === link ? peer : undefined
    }
    const tell = (link: Link, what: (peer: RoomPeer<Json>) => void): void => {
      const peer = peerOf(link)
      if (peer !== undefined) what(peer)
    }
    return {
      ...deps,
      outbox: this.outbox,
      budget: this.#budget,
      nextTag: () => this.#nextTag(),
      nextGeneration: () => {
        this.#lastGeneration += 1
        return this.#lastGeneration
      },
      firstSeq: () => this.#firstSeq(),
      relay: (id, frame) => deps.relay({ kind: 'one', id }, frame),
      ackDelayMs: () => Math.max(LEAST_ACK_DELAY_MS, this.#peers.size * ACK_DELAY_PER_MEMBER_MS),
      maxLagMs: deps.graceMs,
      message: (link, message) => deps.message(link.member.id, message),
      latest: (link, channelName, frame) => deps.latest(link.member.id, channelName, frame),
      linkMessage: (link, message) => tell(link, (peer) => this.#signal(peer, message)),
      changed: (link) =>
        tell(link, (peer) => {
          if (link.suspended && (link.path === 'relay' || link.path === 'none')) {
            peer.attempts?.doubted()
            // Everything goes by the relay now: is it there?
            deps.suspectUplink()
          }
          deps.changed(peer)
        }),
      bulkWaits: (link, { path, rttMs }) => tell(link, ({ beside }) => beside?.waiting(path, rttMs ?? 0)),
      reached: (link, channels) =>
        tell(link, (peer) => {
          deps.clock.setTimeout(() => peer.attempts?.start(), 0)
          deps.reached(peer, channels)
        }),
      cutOff: (link) => tell(link, deps.cutOff),
      gap: (link) => tell(link, deps.gap),
      forgotten: (link) => tell(link, deps.forgotten),
      gaveUp: (link, { path, beside }, reason) =>
        tell(link, ({ attempts }) => (beside ? path.close() : attempts?.lost(path, reason))),
      proven: (link, { path }) =>
        tell(link, ({ attempts }) => {
          attempts?.usable(path)
          deps.networkWorks()
        }),
    }
  }

  #nextTag(): number {
    this.#lastTag += 1
    return this.#lastTag
  }

  #signal(peer: RoomPeer<Json>, message: LinkMessage): void {
    if (message.t === 'signer' || message.t === 'profile') {
      this.deps.said(peer, message)
      return
    }
    // In order, and after `attempts` is there.
    this.deps.directPaths.then(() => {
      if (message.t === 'beside') peer.beside?.receive(message.signal)
      else peer.attempts?.receive(message)
    })
  }

  #connect(peer: RoomPeer<Json>, initiator: boolean, paths: RoomPaths): void {
    const { deps } = this
    const { link } = peer
    const watched = new Map<DirectPath, WatchedPath>()
    const on = (path: DirectPath, what: (path: WatchedPath) => void): void => {
      const found = watched.get(path)
      if (found !== undefined) what(found)
    }
    const opened = (path: DirectPath, beside = false): void => {
      const added = new WatchedPath(path, this.#nextTag(), deps.clock.now(), beside)
      watched.set(path, added)
      link.addPath(added)
    }
    const events: AttemptsEvents = {
      opened,
      frame: (path, _lane, bytes) => on(path, (via) => link.receive(bytes, via)),
      writable: () => link.writable(),
      kindChanged: () => link.pathChanged(),
      closed: (path) =>
        on(path, (closed) => {
          watched.delete(path)
          link.removePath(closed)
        }),
      path: (path) => {
        peer.beside?.close()
        for (const [other, { retire }] of watched) if (path !== undefined && other !== path) retire()
        link.pathChanged()
      },
      changed: () => deps.changed(peer),
    }
    const say = (message: LinkMessage): void => this.#say(peer, message)
    peer.beside = paths.beside({
      ...deps,
      initiator,
      events: { ...events, opened: (path: DirectPath) => opened(path, true) },
      direct: () => peer.attempts?.current?.kind === 'direct',
      retire: (path) => on(path, ({ retire }) => retire()),
      say,
    })
    const attempts = paths.attempts({ ...deps, initiator, events, say })
    peer.attempts = attempts
    deps.clock.setTimeout(() => attempts.start(), ATTEMPT_AFTER_MS)
  }

  /** Say something of ourselves to one member. */
  say(id: PeerId, message: AboutSelf): void {
    const peer = this.#peers.get(id)
    if (peer !== undefined) this.#say(peer, message)
  }

  #say(peer: RoomPeer<Json>, message: LinkMessage): void {
    if (this.#peers.get(peer.id) !== peer) return
    this.outbox.send(this.#linkChannel, CONTENT.json, encodeText(JSON.stringify(message)), this.deps.sentNow(), peer.id)
  }

  /** Say a `latest` channel's name to everyone, before its first frame. Once: later greetings tell it. */
  declare(channel: OutgoingChannel): void {
    if (channel.roomOpened) return
    channel.roomOpened = true
    for (const peer of this.#peers.values()) this.#say(peer, { t: 'declare', channel: channel.id, name: channel.name })
  }

  /** A droppable frame, to everyone or to those of `to` who are here. */
  transmitLatest(frame: Uint8Array, slot: number, to: readonly PeerId[] | undefined): void {
    const relayed: PeerId[] = []
    for (const id of to ?? this.#peers.keys()) {
      const outlet = this.#peers.get(id)?.link.sender.outlet
      if (outlet instanceof WatchedPath) outlet.path.send('latest', frame)
      else if (outlet !== undefined) relayed.push(id)
    }
    if (relayed.length > 0) this.deps.relay(this.#addressOf(relayed), frame, slot)
  }

  /** A frame came by the relay. */
  receive(from: PeerId, frame: Uint8Array): void {
    this.#peers.get(from)?.link.receive(frame, undefined)
  }

  remove(id: PeerId, reason: MissedReason): RoomPeer<Json> | undefined {
    const peer = this.#peers.get(id)
    if (peer === undefined) return undefined
    this.#peers.delete(id)
    if (this.#past.size > MOST_PAST)
      for (const oldest of [...this.#past.keys()].slice(0, MOST_PAST / 2)) this.#past.delete(oldest)
    peer.attempts?.stop()
    peer.beside?.stop()
    peer.link.end(reason)
    this.#past.set(id, { instance: peer.link.member.instance, handed: peer.link.handed })
    this.outbox.remove(id)
    return peer
  }

  /** Hand on what waits in a channel. */
  drain(channelName: string): void {
    for (const { link } of this.#peers.values()) link.drain(channelName)
  }

  /** The uplink takes frames again. */
  writable(): void {
    this.outbox.flush()
    for (const { link } of this.#peers.values()) link.writable()
  }

  /** The network is, or may be, another. `lost`: only those that no direct path reaches need to look for one. */
  networkChanged(lost: boolean): void {
    for (const { attempts, link } of this.#peers.values()) {
      if (!lost || !link.reachableDirectly) attempts?.networkChanged()
    }
  }

  /** The page goes away, perhaps for good: the others are to notice at once, not when the path has been silent. */
  hide(): void {
    for (const { attempts } of this.#peers.values()) attempts?.current?.close()
  }

  /** Whether all that was sent has been handed on everywhere. */
  get quiet(): boolean {
    return this.outbox.waiting.none && [...this.#peers.values()].every(({ link }) => link.sender.quiet)
  }

  close(): void {
    this.outbox.close()
    for (const id of [...this.#peers.keys()]) this.remove(id, 'closed')
  }
}
