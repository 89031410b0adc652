import type {
  Channel,
  FileOffer,
  KeptRoom,
  Latest,
  LatestValue,
  Message,
  MissedReason,
  OfferOptions,
  OutgoingOffer,
  PartylineError,
  Payload,
  Peer,
  PeerId,
  PeerStats,
  Room,
  RoomEvents,
  RoomStatus,
  SealingMode,
  Sent,
} from 'partyline'
import type { ChatProfile } from '../../../web/chat/model/member.ts'
import type { FakeOffer } from './fake-offer.ts'

type Handler = (value: never) => void

/** Handlers by name, of any of the client's event sources. */
class Handlers {
  readonly #all = new Map<string, Set<Handler>>()

  add(name: string, handler: Handler): () => void {
    const handlers = this.#all.get(name) ?? new Set()
    this.#all.set(name, handlers.add(handler))
    return () => handlers.delete(handler)
  }

  call(name: string, value: unknown): void {
    for (const handler of this.#all.get(name) ?? []) handler(value as never)
  }
}

interface Outcome {
  accepted?: (error?: Error) => void
  delivered?: (missed?: ReadonlyMap<PeerId, MissedReason>) => void
}

export interface FakePeer {
  id: PeerId
  profile: ChatProfile
  presence: 'here' | 'away'
  path: Peer['path']
  why: string
  rttMs: number | undefined
  identity?: string
  profileVerified?: boolean
  safetyNumber?: Promise<string | undefined>
}

const notUsed = (): never => {
  throw new Error('the pages do not use this')
}

/** A room without a network: what the others do is told to it, and what the page does can be read from it. */
export class FakeRoom {
  readonly handlers = new Handlers()
  readonly chatHandlers = new Handlers()
  readonly latestHandlers = new Handlers()
  readonly sent: { readonly id: string; readonly data: unknown; readonly outcome: Outcome }[] = []
  readonly latest: unknown[] = []
  readonly offers: FakeOffer[] = []
  readonly ownOffers: {
    readonly data: Blob
    readonly options: OfferOptions | undefined
    readonly transfers: Map<PeerId, 'running' | 'done' | 'failed' | 'declined'>
  }[] = []
  peers: Map<PeerId, FakePeer> = new Map()
  status: RoomStatus = 'joining'
  sealing: SealingMode = 'link'
  kept: KeptRoom | undefined
  history: Room['history'] = notUsed
  profile: ChatProfile
  becomeReady: () => void = () => undefined
  close: (error: PartylineError | undefined) => void = () => undefined
  readonly #room: Room<ChatProfile>
  #messages = 0

  constructor(
    readonly name: string,
    profile: ChatProfile,
    readonly now: () => number,
  ) {
    this.profile = profile
    this.#room = this.#makeRoom()
  }

  get room(): Room<ChatProfile> {
    return this.#room
  }

  welcome(peers: readonly FakePeer[]): void {
    for (const peer of peers) this.peers.set(peer.id, peer)
    this.setStatus('online')
    this.becomeReady()
  }

  setStatus(status: RoomStatus): void {
    this.status = status
    this.handlers.call('status', status)
  }

  join(peer: FakePeer): void {
    this.peers.set(peer.id, peer)
    this.handlers.call('join', this.#asPeer(peer))
  }

  change(id: PeerId, change: Partial<FakePeer>): void {
    const peer = this.peers.get(id)
    if (peer === undefined) return
    Object.assign(peer, change)
    this.handlers.call('change', this.#asPeer(peer))
  }

  leave(id: PeerId, reason: RoomEvents['leave']['reason']): void {
    const peer = this.peers.get(id)
    if (peer === undefined) return
    this.peers.delete(id)
    this.handlers.call('leave', { peer: this.#asPeer(peer), reason })
  }

  refuse(id: PeerId, error: PartylineError): void {
    this.handlers.call('refused', { id, error })
  }

  gap(id: PeerId, reason: RoomEvents['gap']['reason']): void {
    const peer = this.peers.get(id)
    if (peer !== undefined) this.handlers.call('gap', { peer: this.#asPeer(peer), reason })
  }

  say(from: PeerId, data: unknown, sentAtMs: number = this.now()): void {
    this.#messages += 1
    this.chatHandlers.call('message', { id: `m${this.#messages}`, from, data, sentAtMs, direct: false })
  }

  type(from: PeerId, typing: boolean): void {
    this.latestHandlers.call('value', { from, key: '', value: { typing }, sentAtMs: this.now() })
  }

  offer(offer: FakeOffer): void {
    this.offers.push(offer)
    this.chatHandlers.call('offer', offer satisfies FileOffer)
  }

  #asPeer(peer: FakePeer): Peer<ChatProfile> {
    const { id, profile, presence, path, why, rttMs, identity, profileVerified = true } = peer
    return {
      id,
      userId: undefined,
      identity,
      safetyNumber:
        peer.safetyNumber ?? Promise.resolve('57300 50739 03161 02685 13351 23229 28559 85988 91009 49370 93811 19692'),
      profile,
      profileVerified,
      presence,
      path,
      why,
      rttMs,
      stats: async () => this.#statsOf(peer),
    }
  }

  #statsOf(peer: FakePeer): PeerStats {
    const isWebRtc = peer.path === 'direct' || peer.path === 'turn'
    return {
      path: peer.path,
      why: peer.why,
      rttMs: peer.rttMs,
      localCandidate: isWebRtc ? (peer.path === 'turn' ? 'relay' : 'host') : undefined,
      remoteCandidate: isWebRtc ? 'srflx' : undefined,
      protocol: isWebRtc ? 'udp' : undefined,
      bytesSent: 18_230,
      bytesReceived: 2_345_678,
      retransmissions: 3,
      duplicates: 1,
      unacknowledgedBytes: 0,
      attempts: 2,
    }
  }

  #makeRoom(): Room<ChatProfile> {
    const fake = this
    const ready = new Promise<void>((resolve) => {
      this.becomeReady = resolve
    })
    const closed: Room['closed'] = new Promise((resolve) => {
      this.close = (error) => {
        this.setStatus('closed')
        resolve(error)
      }
    })
    return {
      name: this.name,
      ready,
      closed,
      get status() {
        return fake.status
      },
      get self() {
        const id = 'a1b2c3d4e5f60718' as PeerId
        return fake.status === 'joining' ? undefined : { id, profile: fake.profile, userId: undefined, rights: [] }
      },
      get peers() {
        return new Map([...fake.peers].map(([id, peer]) => [id, fake.#asPeer(peer)]))
      },
      get sealing() {
        return fake.sealing
      },
      on: (name: string, handler: Handler) => fake.handlers.add(name, handler),
      setProfile: async (profile) => {
        fake.profile = profile
      },
      leave: async () => fake.close(undefined),
      now: fake.now,
      channel: <T extends Payload>(name: string) => fake.#makeChannel(name) as Channel<T>,
      latest: <T extends Payload>(name: string) => fake.#makeLatest(name) as Latest<T>,
      procedure: notUsed,
      get kept() {
        return fake.kept
      },
      cursor: undefined,
      history: (query) => fake.history(query),
      markRead: notUsed,
      readPositions: notUsed,
      stats: () => ({
        status: fake.status,
        carrier: 'websocket',
        uplinkRttMs: 14.2,
        reconnections: 1,
        bytesSent: 120_400,
        bytesReceived: 98_000,
        sealing: { sealed: 0, opened: 0, refused: {} },
      }),
    }
  }

  #makeChannel(name: string): Channel<Payload> {
    return {
      name,
      send: ((data) => this.#send(data)) as Channel<Payload>['send'],
      on: (event: string, handler: (value: Message<Payload> & FileOffer) => void) =>
        this.chatHandlers.add(event, handler),
      offer: (data, options) => this.#offerOwn(data, options),
      [Symbol.asyncIterator]: notUsed,
    }
  }

  #send(data: unknown): Sent {
    const outcome: Outcome = {}
    const id = `own-${this.sent.length + 1}`
    const to = [...this.peers.keys()]
    const accepted = new Promise<void>((resolve, reject) => {
      outcome.accepted = (error) => (error === undefined ? resolve() : reject(error))
    })
    const delivered: Sent['delivered'] = new Promise((resolve) => {
      outcome.delivered = (missed) => resolve({ to, missed: missed ?? new Map() })
    })
    this.sent.push({ id, data, outcome })
    return { id, accepted, delivered }
  }

  #offerOwn(data: Blob, options: OfferOptions | undefined): OutgoingOffer {
    const transfers = new Map<PeerId, 'running' | 'done' | 'failed' | 'declined'>()
    this.ownOffers.push({ data, options, transfers })
    return { id: `offer-${this.ownOffers.length}`, transfers, withdraw: () => transfers.clear() }
  }

  #makeLatest(name: string): Latest<Payload> {
    return {
      name,
      set: (value) => this.latest.push(value),
      on: (event: string, handler: (value: LatestValue<Payload>) => void) => this.latestHandlers.add(event, handler),
      get: () => undefined,
    }
  }
}
