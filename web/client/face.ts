/** The client's face: everything an application sees. The classes behind it implement these types. */
import type { Json, PeerId, Right } from '../../signaling/protocol/index.ts'
import type { PartylineError, PartylineErrorCode } from './errors.ts'
import type {
  Channel,
  ChannelOptions,
  Latest,
  Payload,
  Procedure,
  ProcedureHandler,
  Unsubscribe,
} from './face-channels.ts'
import type { HistoryCursor, HistoryOptions, HistoryPage, HistoryQuery, KeptRoom, ReadNotice } from './face-history.ts'

export type * from './face-channels.ts'
export type * from './face-history.ts'
export type { Json, PeerId, Right }

/** `joining` until the first welcome; `reconnecting` while the server is unreachable: direct paths go on meanwhile. */
export type RoomStatus = 'joining' | 'online' | 'reconnecting' | 'closed'
/** How a peer is reached: straight, through TURN, through the server, or not at the moment. */
export type PathKind = 'direct' | 'turn' | 'relay' | 'none'
/** How the uplink is carried, from best to worst. */
export type CarrierKind = 'websocket' | 'sse' | 'long-poll' | 'short-poll'
export type Presence = 'here' | 'away'

/**
 * The token itself, or a function that gives one. A token that is given so cannot be renewed: when it runs out, the room
 * ends with `access-expired`, without a warning. A function is asked before the room is entered, before the token in use
 * runs out, and when the server says that it has. When it rejects, it is asked again, later and later. What is no string
 * of 1 to 8,192 characters ends the room with `protocol`.
 */
export type AccessToken = string | (() => string | Promise<string>)

export interface JoinOptions<P extends Json = Json> {
  /** Address of the server, `https://host/base/` or `wss://…`; default: where the page came from. */
  readonly server?: string | URL
  /** Seen by all members, and the server; at most 4 KiB of JSON. Default `null`. */
  readonly profile?: P
  /**
   * Keeps the profile from the server: sealed with the room's `secret` or `password`, which it needs. At most 3,000 bytes
   * of JSON then. Each member says so for itself. Default false.
   */
  readonly sealProfile?: boolean
  /** For a server that asks for one: a JWT that your backend signs, at most 8,192 characters. Default none. */
  readonly accessToken?: AccessToken
  /**
   * A secret of the room, 16 to 64 random bytes as base64url, which everybody has and the server does not:
   * `newSecret()` makes one. It protects from a server that lies, too. Put it in the fragment of the room's link.
   */
  readonly secret?: string
  /**
   * In its place, something that people type, 1 to 1,024 bytes: who runs the server can guess it at home, at some 50 ms
   * a try. A `secret` cannot be guessed.
   */
  readonly password?: string
  /**
   * `'open'`: nothing is sealed, the server can read what goes by it. Everybody in the room must say so. Default: sealed
   * end to end, with the `secret` or `password` if there is one.
   */
  readonly sealing?: 'open'
  /** A long-lived identity, which others see verified as `peer.identity`: `createIdentity()` or `loadIdentity()`. */
  readonly identity?: CryptoKeyPair
  /**
   * Whether somebody is let in: who is not, is no peer, gets nothing and is not heard. What it says waits for the answer,
   * up to 1 MiB of it, and so does `ready` for those who are there already; others do not. 5 s without an answer, or an
   * error, is a no; who leaves before it was never there. Default: everybody.
   */
  readonly admit?: AdmitMember
  /**
   * What the server keeps comes to the channels' listeners, too, before what is live, each message once: `message.stored`
   * tells where it was. From then on nothing that is stored is missed, however long this member is out of reach. Needs a
   * server that keeps this room (else nothing comes), and the right `history`. Default: what comes live alone.
   */
  readonly history?: HistoryOptions
  /** Ends the room when it fires, as `leave()` does, but with the error `aborted`. */
  readonly signal?: AbortSignal
  /** Ways to reach others; the relay is always among them. Default `['direct', 'turn', 'relay']`. */
  readonly paths?: readonly ('direct' | 'turn' | 'relay')[]
  /** As in RTCConfiguration: `relay` means peer connections through TURN only. Default `all`. */
  readonly iceTransportPolicy?: 'all' | 'relay'
  /** In addition to the server's own. Default none. */
  readonly iceServers?: readonly RTCIceServer[]
  /**
   * How the server may be reached. Of several, the best that works here is used. Default
   * `['websocket', 'sse', 'long-poll', 'short-poll']`.
   */
  readonly uplink?: CarrierKind | readonly CarrierKind[]
  /**
   * Peers this member has a peer connection to at most; further ones stay on the relay. Default 16, 0 to 64. For large
   * messages over a long way it opens up to 24 more, to peers that it has a direct path to.
   */
  readonly maxDirectPeers?: number
}

/** How what goes by the server is sealed: end to end, also against a server that lies, or not at all. */
export type SealingMode = 'link' | 'secret' | 'open'

/** Who asks to be let in. */
export interface Newcomer {
  readonly id: PeerId
  readonly userId: string | undefined
  readonly profile: Json
  /** As of `Peer`: the signature is good, and it has said nothing yet. */
  readonly identity: string | undefined
  /** As of `Peer`: whether the profile is the one it asked for. */
  readonly profileVerified: boolean | undefined
}
export type AdmitMember = (newcomer: Newcomer) => boolean | Promise<boolean>

/** Why something or somebody was refused; see `PartylineErrorCode`. */
export type RefusedCode = Extract<
  PartylineErrorCode,
  | 'wrong-secret'
  | 'seal-mismatch'
  | 'seal-changed'
  | 'identity-invalid'
  | 'not-admitted'
  | 'unsealed'
  | 'forged'
  | 'replayed'
  | 'unsigned'
  | 'profile-altered'
>

export interface Peer<P extends Json = Json> {
  readonly id: PeerId
  /**
   * Who the server vouches that this is: the user of its access token, the same for all of a user's devices. `undefined`
   * without a token, or when the token names none.
   */
  readonly userId: string | undefined
  readonly profile: P
  /**
   * Whether the profile is the member's own, as it says itself: `false` when the server has shown another one for 10 s in
   * all since it was set. `undefined` while that is not known: just changed, or in an open room.
   */
  readonly profileVerified: boolean | undefined
  /**
   * The identity it shows: SHA-256 of its public key as hex. `undefined` when it shows none. Whatever comes from this peer
   * comes from who holds that key, and only that one can read what is sent to it. Its being here is no proof: until it has
   * said something, it may be another who shows a copy.
   */
  readonly identity: string | undefined
  /**
   * 12 groups of 5 digits, the same at both ends when nobody sits between: let people compare them by another way. With
   * identities on both sides it is always the same for these two; without, for this visit only. Who has compared it keeps
   * `identity`, or else the number: a peer id is no key, and the server could give it to another one. `undefined` in an
   * open room. Never rejects.
   */
  readonly safetyNumber: Promise<string | undefined>
  /** `away`: its connection to the server dropped and its grace period runs. */
  readonly presence: Presence
  /** The path that the next message takes. */
  readonly path: PathKind
  /** Why this path and no better one, in words for people; they may change from version to version. */
  readonly why: string
  /** Round trip on that path, ms, smoothed; `undefined` until measured. */
  readonly rttMs: number | undefined
  /** A closer look, for diagnostics. Never rejects. */
  stats(): Promise<PeerStats>
}

export interface PeerStats {
  readonly path: PathKind
  readonly why: string
  readonly rttMs: number | undefined
  /** Of the selected candidate pair: `host`, `srflx`, `prflx` or `relay`; `undefined` without a peer connection. */
  readonly localCandidate: string | undefined
  readonly remoteCandidate: string | undefined
  /**
   * `udp`, `tcp` or `tls`: how the local side reaches its TURN server, or the pair's own protocol; `undefined` where the
   * platform does not say (Node).
   */
  readonly protocol: string | undefined
  /** Of messages' frames, each counted once, over all paths. */
  readonly bytesSent: number
  /** Of all frames, repeats and acknowledgements among them, over all paths. */
  readonly bytesReceived: number
  /** Frames sent again, by the same path or another. */
  readonly retransmissions: number
  /** Frames that came again, and were dropped. */
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
  /** On the uplink, since the room was entered. */
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly sealing: SealingStats
}

export interface SealingStats {
  /** Frames that left sealed, and that were opened. */
  readonly sealed: number
  readonly opened: number
  /** How often what was refused, by the code of its error. */
  readonly refused: { readonly [Code in RefusedCode]?: number }
}

export interface RoomEvents<P extends Json = Json> {
  /** Somebody came. Those who are there when this member comes are told of one by one, before `ready` resolves. */
  join: Peer<P>
  /**
   * Somebody is gone: `left` on purpose, `expired` when its grace period ran out, `removed` by the server, or `lost`: the
   * two sides took each other for gone; `join` follows at once if it is there. The end of the room itself tells nothing.
   */
  leave: { readonly peer: Peer<P>; readonly reason: 'left' | 'expired' | 'removed' | 'lost' }
  /** A peer's profile, presence, path, or the reason for the path changed. */
  change: Peer<P>
  /**
   * Messages from this peer were lost for good: because we or it were away or behind for too long, or, `withheld`,
   * because somebody kept them back from a `signed` channel.
   */
  gap: { readonly peer: Peer<P>; readonly reason: 'lagging' | 'expired' | 'withheld' }
  /**
   * So many messages from a backend are lost for good: this member was away for too long, or nobody reads their channel.
   * A server that was started anew has forgotten what it had for this member, and does not know.
   */
  missed: { readonly messages: number }
  /**
   * Of the history, something that we have not seen is gone for good: the log was begun anew (`epoch`), or more was stored
   * than the server keeps (`age`). What is there follows.
   */
  forgotten: { readonly reason: 'epoch' | 'age' }
  /**
   * With `JoinOptions.history`, or of this user's mailbox: somebody has read further. What other users have read while this
   * member was out of reach is not told: `readPositions()` says.
   */
  read: ReadNotice
  /** `room.status` changed. */
  status: RoomStatus
  /** Somebody was not let in, or something of a member was refused. At most once a second for each member and code. */
  refused: { readonly id: PeerId; readonly error: PartylineError }
}

/** This member, as the server has it. */
export interface Self<P extends Json = Json> {
  readonly id: PeerId
  readonly profile: P
  /** As of `Peer`. */
  readonly userId: string | undefined
  /** What the access token allows; all of them on an open server. */
  readonly rights: readonly Right[]
}

/** A room, entered by `joinRoom`. */
export interface Room<P extends Json = Json> {
  readonly name: string
  /**
   * After the first welcome: one round trip. Rejects (never unhandled) only for good: with `denied`, `room-full`,
   * `access-expired`, `server-full`, `wrong-secret`, `insecure-context`, `version-unsupported`, `too-large` (the profile), `protocol`, `aborted`, or `closed` when the room was
   * left before. An unreachable server is retried.
   */
  readonly ready: Promise<void>
  /** Resolves when the room is over: with `undefined` after `leave()`, else with the reason. Never rejects. */
  readonly closed: Promise<PartylineError | undefined>
  readonly status: RoomStatus
  /** How this room is sealed: `link` without a secret or password. */
  readonly sealing: SealingMode
  /** `undefined` until the first welcome. */
  readonly self: Self<P> | undefined
  /** Everyone else; a new map at every change, so that it fits `useSyncExternalStore`. */
  readonly peers: ReadonlyMap<PeerId, Peer<P>>
  on<Name extends keyof RoomEvents<P>>(name: Name, handler: (value: RoomEvents<P>[Name]) => void): Unsubscribe
  /**
   * At most 4 KiB of JSON (3,000 bytes with `sealProfile`). `self` shows it at once. Resolves when the server has it, or a newer one; waits while the
   * server is unreachable. Rejects (never unhandled) with `closed`, or `too-large` where the server allows less.
   * @throws PartylineError `bad-argument`
   */
  setProfile(profile: P): Promise<void>
  /**
   * Leave for good. First waits up to `flushMs` (default 0: not at all) until everything sent was delivered, and stored if it is to be; what was not
   * by then may be lost. Resolves when the server knows, within 2 s, or at once when it is not in reach. Never rejects.
   * A second call changes nothing.
   */
  leave(options?: { readonly flushMs?: number }): Promise<void>
  /** The room clock: ms since 1970 on the server's clock, agreed on to some ms. Until `ready`, this machine's clock. */
  now(): number
  /**
   * A reliable channel; the same object for the same name. Names have 1 to 60 bytes of UTF-8; channels, `latest` channels
   * and procedures have names of their own, and there is room for 192 of them together at least.
   * @throws PartylineError `bad-argument`, also when the name is open already and was said to be signed, or not
   */
  channel<T extends Payload = Json>(name: string, options?: ChannelOptions): Channel<T>
  /** A channel whose newest value wins; the same object for the same name. @throws PartylineError `bad-argument` */
  latest<T extends Payload = Json>(name: string): Latest<T>
  /**
   * Ask and answer. With a handler, this member answers; one handler a name, which stays until the end.
   * @throws PartylineError `bad-argument`, also when there is a handler already
   */
  procedure<Q extends Payload = Json, A extends Payload = Json>(
    name: string,
    handler?: ProcedureHandler<Q, A>,
  ): Procedure<Q, A>
  /** What the server keeps of this room, as it says; `undefined`: nothing, or there was no welcome yet. */
  readonly kept: KeptRoom | undefined
  /**
   * With `JoinOptions.history`: up to here everything that was stored has been handed on. Keep it, and give it as `since`
   * to go on from here after a reload. `undefined` until the server has answered, and while nothing was ever stored.
   */
  readonly cursor: HistoryCursor | undefined
  /**
   * What the server keeps, from the newest backwards. Waits while the server is out of reach. Rejects (never unhandled) with
   * `not-kept`, `denied`, `store-failed`, `forgotten` (`before` is of a log that is gone), `bad-argument`, `unsupported`
   * (its code could not be loaded for half a minute), `closed`.
   */
  history(query?: HistoryQuery): Promise<HistoryPage>
  /**
   * This user has read up to this place, which `message.stored` is, too: with `mail`, of its mailbox, from which it is not
   * handed on again. Never goes back. `share`: others may know; else this user's own devices alone. Needs a `userId`.
   * Rejects (never unhandled) as `history`.
   */
  markRead(place: HistoryCursor & { readonly mail?: boolean }, options?: { readonly share?: boolean }): Promise<void>
  /** How far who has read, by `userId`: this user and those who share it. Rejects (never unhandled) as `history`. */
  readPositions(): Promise<ReadonlyMap<string, number>>
  stats(): RoomStats
}
