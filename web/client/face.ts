/** The client's face: everything an application sees. The classes behind it implement these types. */
import type { Json, PeerId } from '../../signaling/protocol/index.ts'
import type { MissedReason } from './delivery/outgoing-stream.ts'
import type { PartylineError } from './errors.ts'

export type { Json, PeerId }
/** What a reliable or `latest` channel, or a procedure, can carry: JSON, text, or bytes. */
export type Payload = Json | Uint8Array | object
export type Unsubscribe = () => void

/** `joining` until the first welcome; `reconnecting` while the server is unreachable: direct paths go on meanwhile. */
export type RoomStatus = 'joining' | 'online' | 'reconnecting' | 'closed'
/** How a peer is reached: straight, through TURN, through the server, or not at the moment. */
export type PathKind = 'direct' | 'turn' | 'relay' | 'none'
export type CarrierKind = 'websocket' | 'sse' | 'long-poll' | 'short-poll'
export type Presence = 'here' | 'away'

export interface JoinOptions<P extends Json = Json> {
  /** Address of the server, `https://host/base/` or `wss://…`; default: where the page came from. */
  readonly server?: string | URL
  /** Seen by all members; at most 4 KiB of JSON. Default `null`. */
  readonly profile?: P
  /** Leave when this fires. */
  readonly signal?: AbortSignal
  /** Ways to reach others, the relay always among them. Default `['direct', 'turn', 'relay']`. */
  readonly paths?: readonly ('direct' | 'turn' | 'relay')[]
  /** As in RTCConfiguration: `relay` means through TURN only. Default `all`. */
  readonly iceTransportPolicy?: 'all' | 'relay'
  /** In addition to the server's own. Default none. */
  readonly iceServers?: readonly RTCIceServer[]
  /** Peer connections this member opens at most; further peers stay on the relay. Default 16, 0 to 64. */
  readonly maxDirectPeers?: number
}

export interface Peer<P extends Json = Json> {
  readonly id: PeerId
  readonly profile: P
  /** `away`: its connection to the server dropped and its grace period runs. */
  readonly presence: Presence
  /** The path that the next message takes. */
  readonly path: PathKind
  /** Why this path and no better one, in words for people. */
  readonly why: string
  /** Round trip on that path, ms, smoothed; `undefined` until measured. */
  readonly rttMs: number | undefined
  /** A closer look, for diagnostics. */
  stats(): Promise<PeerStats>
}

export interface PeerStats {
  readonly path: PathKind
  readonly why: string
  readonly rttMs: number | undefined
  /** Of the selected candidate pair: `host`, `srflx`, `prflx` or `relay`; `undefined` without a peer connection. */
  readonly localCandidate: string | undefined
  readonly remoteCandidate: string | undefined
  /** `udp`, `tcp` or `tls`: how the local side reaches its TURN server, or the pair's own protocol. */
  readonly protocol: string | undefined
  /** Application frames over all paths, both directions. */
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly retransmissions: number
  readonly duplicates: number
  /** Bytes sent and not yet acknowledged. */
  readonly unacknowledgedBytes: number
  /** Peer connections attempted so far, the present one included. */
  readonly attempts: number
}

export interface RoomStats {
  readonly status: RoomStatus
  readonly carrier: CarrierKind | undefined
  /** Round trip to the server, ms. */
  readonly uplinkRttMs: number | undefined
  /** How often the uplink was lost. */
  readonly reconnections: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

export interface RoomEvents<P extends Json = Json> {
  join: Peer<P>
  leave: { readonly peer: Peer<P>; readonly reason: 'left' | 'expired' | 'removed' | 'lost' }
  /** A peer's profile, presence or path changed. */
  change: Peer<P>
  /** Messages from this peer were lost for good, because we or it were away or behind for too long. */
  gap: { readonly peer: Peer<P>; readonly reason: 'lagging' | 'expired' }
  /** `room.status` changed. */
  status: RoomStatus
}

/** A room, entered by `joinRoom`. */
export interface Room<P extends Json = Json> {
  readonly name: string
  /** After the first welcome: one round trip. Rejects only for good (denied, full, aborted, version); an unreachable server is retried. */
  readonly ready: Promise<void>
  /** When the room is over: `undefined` after `leave()`, else why. Never rejects. */
  readonly closed: Promise<PartylineError | undefined>
  readonly status: RoomStatus
  /** `undefined` until the first welcome. */
  readonly self: { readonly id: PeerId; readonly profile: P } | undefined
  /** Everyone else; a new map at every change, so that it fits `useSyncExternalStore`. */
  readonly peers: ReadonlyMap<PeerId, Peer<P>>
  on<Name extends keyof RoomEvents<P>>(name: Name, handler: (value: RoomEvents<P>[Name]) => void): Unsubscribe
  /** Resolves when the server has it. At most 4 KiB of JSON. */
  setProfile(profile: P): Promise<void>
  /** Leave now; waits up to `flushMs` (default 0) for what was sent to be acknowledged. Idempotent. */
  leave(options?: { readonly flushMs?: number }): Promise<void>
  /** The room clock: ms since 1970 on the server's clock, agreed on to some ms. */
  now(): number
  /** A reliable channel; the same object for the same name. At most 255 channels a room, names up to 60 bytes. */
  channel<T extends Payload = Json>(name: string): Channel<T>
  /** A channel whose newest value wins. */
  latest<T extends Payload = Json>(name: string): Latest<T>
  /** Ask and answer. With a handler, this member answers; one handler a name. */
  procedure<Q extends Payload = Json, A extends Payload = Json>(
    name: string,
    handler?: ProcedureHandler<Q, A>,
  ): Procedure<Q, A>
  stats(): RoomStats
}

export interface Message<T> {
  /** The same at sender and receivers. */
  readonly id: string
  readonly from: PeerId
  readonly data: T
  /** When it was sent, on the room clock, ms since 1970. */
  readonly sentAtMs: number
  /** Sent to this member alone, or to a list it is on. */
  readonly direct: boolean
}

export type { MissedReason }

export interface Sent {
  readonly id: string
  /**
   * In the window: kept until every receiver has it. Await it between sends: that is back-pressure.
   * Rejects with `aborted`, `closed` (never unhandled).
   */
  readonly accepted: Promise<void>
  /**
   * Always resolves, when each receiver's library has handed the message to its application or cannot any more.
   * `to`: whom it was addressed to; `missed`: who did not get it, and why.
   */
  readonly delivered: Promise<{ readonly to: readonly PeerId[]; readonly missed: ReadonlyMap<PeerId, MissedReason> }>
}

export interface SendOptions {
  /** One member, or several; absent: everyone here now. */
  readonly to?: PeerId | readonly PeerId[]
  /** Gives up what is not accepted yet. */
  readonly signal?: AbortSignal
}

/**
 * Reliable: each message reaches every member it was addressed to once, in the order sent.
 * Messages wait, bounded, until the first listener is there.
 */
export interface Channel<T extends Payload = Json> extends AsyncIterable<Message<T>> {
  readonly name: string
  /**
   * At most 8 MiB; larger things are files: `offer` them.
   * @throws PartylineError `queue-full`, `too-large`, `closed`, `bad-argument`
   */
  send(data: T, options?: SendOptions): Sent
  /** `message`: called for each, in order. `offer`: somebody offers a file here. */
  on(name: 'message', handler: (message: Message<T>) => void): Unsubscribe
  on(name: 'offer', handler: (offer: FileOffer) => void): Unsubscribe
  /** Offer a file or other bytes; they move only to those who accept. */
  offer(data: Blob, options?: OfferOptions): OutgoingOffer
  /** A reader that is slower than the senders holds them back; it is never dropped from. Ends with the room. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<T>>
}

export interface OfferOptions {
  readonly to?: PeerId | readonly PeerId[]
  /** Default: the file's own name, or `file`. */
  readonly name?: string
  /** Small JSON for the receivers. */
  readonly meta?: Json
  readonly onProgress?: (progress: TransferProgress) => void
  /** Withdraws the offer and stops transfers. */
  readonly signal?: AbortSignal
}

export interface TransferProgress {
  readonly peer: PeerId
  /** Bytes that the receiver's reader has taken. */
  readonly bytes: number
  readonly totalBytes: number
}

export interface OutgoingOffer {
  readonly id: string
  /** Peers now receiving or done, by peer. */
  readonly transfers: ReadonlyMap<PeerId, 'running' | 'done' | 'failed' | 'declined'>
  /** Nobody may accept from now on; running transfers end. */
  withdraw(): void
}

export interface FileOffer {
  readonly id: string
  readonly from: PeerId
  readonly name: string
  /** MIME type, may be empty; given by the sender: do not trust it. */
  readonly type: string
  readonly sizeBytes: number
  readonly meta: Json
  readonly sentAtMs: number
  /** Fires when it can no longer be accepted. */
  readonly withdrawn: AbortSignal
  /** Start the transfer. The stream errors with `left`, `withdrawn` or `aborted`. Reading slowly holds the sender back. */
  accept(options?: {
    readonly onProgress?: (progress: TransferProgress) => void
    readonly signal?: AbortSignal
  }): ReadableStream<Uint8Array>
  decline(): void
}

/** Newest value wins per (sender, key): never blocks, may skip, never goes back. For positions, cursors, typing. */
export interface Latest<T extends Payload = Json> {
  readonly name: string
  /** At most 16 KiB a value and 1,024 keys. @throws PartylineError `too-large`, `bad-argument`, `closed` */
  set(value: T, options?: { readonly key?: string; readonly to?: PeerId | readonly PeerId[] }): void
  on(name: 'value', handler: (value: LatestValue<T>) => void): Unsubscribe
  /** The newest value of each (peer, key) seen, while the peer is in the room. */
  get(peer: PeerId, key?: string): T | undefined
}

export interface LatestValue<T> {
  readonly from: PeerId
  readonly key: string
  readonly value: T
  readonly sentAtMs: number
}

/** May return or resolve; what it throws reaches the asker as `handler-failed` with the message. */
export type ProcedureHandler<Q, A> = (
  question: Q,
  context: { readonly from: PeerId; readonly signal: AbortSignal },
) => A | Promise<A>
/**
 * Ask one member. Rejects with `timeout` (default 30 s), `left`, `no-handler`, `handler-failed`, `aborted`, `closed`.
 */
export type Procedure<Q, A> = (
  peer: PeerId,
  question: Q,
  options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
) => Promise<A>
