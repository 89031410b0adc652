/**
 * The members as the application sees them: a link for each that membership lists, made and ended here and nowhere else,
 * and an event for what changes. Who is a member, `Membership` knows; by which path one is reached, its link.
 */
import type { Json, MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { Emitter } from './events.ts'
import type { Peer, RoomEvents } from './face.ts'
import type { Gate } from './gate.ts'
import type { Membership } from './membership.ts'
import type { RoomLinks } from './room-links.ts'
import type { RoomPeer } from './room-peer.ts'
import type { Uplink, Welcome } from './uplink/uplink.ts'

export interface RoomMembersDeps {
  readonly membership: Membership
  readonly links: RoomLinks
  readonly gate: Pick<Gate, 'begunAgain'>
  readonly uplink: Pick<Uplink, 'state' | 'snapshot'>
  readonly events: Pick<Emitter<RoomEvents>, 'emit'>
  /** Our own id, as of the newest welcome. */
  self(): PeerId | undefined
  /** Its link is there. The application is told next. */
  joined(id: PeerId): void
  /** Its link has ended. The application is told next. */
  left(id: PeerId): void
}

export class RoomMembers {
  readonly #deps: RoomMembersDeps
  #peers: ReadonlyMap<PeerId, Peer> = new Map()

  constructor(deps: RoomMembersDeps) {
    this.#deps = deps
    const { membership, uplink } = deps
    membership.on('join', (info) => this.#join(info))
    membership.on('leave', ({ member, reason }) => this.#leave(member.id, reason))
    membership.on('change', (info) => this.#change(info))
    membership.on('gap', () => uplink.snapshot())
  }

  /** A new map at every change. */
  get peers(): ReadonlyMap<PeerId, Peer> {
    return this.#peers
  }

  welcome(message: Welcome): void {
    const { links, membership } = this.#deps
    const before = [...links.peers.values()]
    membership.welcome(message)
    for (const { id, link } of before) link.setRelay(this.#relayed(id), true)
  }

  offline(): void {
    const { links, membership } = this.#deps
    membership.offline()
    for (const { link } of links.peers.values()) link.setRelay(false, false)
  }

  /** What is seen of a member is another now. */
  changed(peer: RoomPeer<Json>): void {
    // Before it has joined for the application, nothing of it changes.
    if (!this.#peers.has(peer.id)) return
    this.#publish()
    this.#deps.events.emit('change', peer)
  }

  /** The other side has ended the link. */
  forgotten({ id, info }: RoomPeer<Json>): void {
    this.#deps.gate.begunAgain(id)
    this.#leave(id, 'lost')
    this.#join(info)
  }

  /** The room is over: nobody is told. */
  close(): void {
    this.#deps.links.close()
    this.#deps.membership.close()
    this.#peers = new Map()
  }

  #relayed(id: PeerId): boolean {
    const { uplink, membership } = this.#deps
    return uplink.state === 'online' && membership.listed(id) && membership.get(id)?.presence === 'here'
  }

  #join(info: MemberInfo): void {
    const { links, events } = this.#deps
    const { id } = info
    const self = this.#deps.self()
    if (self === undefined) return
    const peer = links.add(info, self < id, this.#relayed(id))
    this.#deps.joined(id)
    this.#publish()
    events.emit('join', peer)
  }

  #leave(id: PeerId, reason: RoomEvents['leave']['reason']): void {
    const { links, events } = this.#deps
    const peer = links.remove(id, 'left')
    if (peer === undefined) return
    this.#deps.left(id)
    this.#publish()
    events.emit('leave', { peer, reason })
  }

  #change(info: MemberInfo): void {
    const peer = this.#deps.links.get(info.id)
    if (peer === undefined) return
    const returned = peer.presence === 'away' && info.presence === 'here'
    peer.info = info
    peer.link.setRelay(this.#relayed(info.id), returned)
    this.changed(peer)
  }

  #publish(): void {
    this.#peers = new Map(this.#deps.links.peers)
  }
}
