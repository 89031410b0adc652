/**
 * Control messages: one JSON object each, as a text message of the uplink. `t` says which.
 * A request carries `id`; its answer carries the same number as `re`. Repeating a request is harmless.
 * Unknown fields are ignored, so that versions can grow; unknown `t` is `bad-message`.
 * `client-message.ts` and `server-message.ts` read them.
 */
import type { AccessInfo, MemberAccess, Right } from './access.ts'
import type { ErrorCode } from './errors.ts'
import type { Json } from './guards.ts'
import type { HistoryMessage, HistoryRequest, KeptInfo } from './history.ts'
import type { InstanceId, PeerId } from './ids.ts'
import type { Published } from './published.ts'

/** Versions this code speaks: a range, because a server outlives the pages that were loaded from it. */
export const VERSION = Object.freeze({ min: 1, max: 1 } as const)

export type Presence = 'here' | 'away'

export interface MemberInfo extends MemberAccess {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly profile: Json
  readonly presence: Presence
  /** The announcement of its keys, as in SEALING.md: the server shows it and never looks inside. */
  readonly seal?: string
}

/** As RTCIceServer. */
export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** What the server allows this member; see "Limits" in PROTOCOL.md. */
export interface WelcomeLimits {
  readonly frameBytes: number
  readonly packetBytes: number
  readonly profileBytes: number
  readonly membersPerRoom: number
  /** Sustained uplink messages and bytes per second; twice that in a burst. */
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
}

/** How many links of a member take which path now. */
export interface LinkPaths {
  readonly direct: number
  readonly turn: number
  readonly relay: number
}

export type ClientMessage =
  | {
      readonly t: 'join'
      readonly id: number
      /** Oldest and newest version the client speaks. */
      readonly vMin: number
      readonly vMax: number
      readonly room: string
      readonly profile: Json
      readonly instance: InstanceId
      /** 128 random bits as hex, never shown to others: a join repeated because its answer was lost is the same member. */
      readonly joinKey: string
      /** The session token of an earlier welcome: come back as that member. */
      readonly token?: string | undefined
      /** The application's word for what this client may do, where the server asks for one. */
      readonly access?: string | undefined
      /** The announcement of this member's keys, base64url: shown to the others as it is. */
      readonly seal?: string | undefined
      /** The number of the last `published` that came; 0 for none. What came after it is sent again. */
      readonly published?: number | undefined
    }
  | { readonly t: 'profile'; readonly id: number; readonly profile: Json }
  /** A fresh session token and fresh ICE servers; answered by `renewed`. `access`: this one counts from now on. */
  | { readonly t: 'renew'; readonly id: number; readonly access?: string | undefined }
  /** All members; answered by `snapshot`. */
  | { readonly t: 'snapshot'; readonly id: number }
  /** Leave for good, at once; answered by `ok` and a close with 1000. */
  | { readonly t: 'leave'; readonly id: number }
  /** The page is being hidden for good, perhaps: if this uplink drops, wait only `graceMs` (at most the room's own). */
  | { readonly t: 'grace'; readonly graceMs: number }
  /**
   * `rttMs`: the last round trip the client measured, for the server's own knowledge. `published`: the number of the
   * last message of that kind that came.
   */
  | {
      readonly t: 'ping'
      readonly n: number
      readonly rttMs?: number | undefined
      readonly paths?: LinkPaths | undefined
      readonly published?: number | undefined
    }
  | HistoryRequest

export type LeaveReason = 'left' | 'expired' | 'removed'

export type ServerMessage =
  | {
      readonly t: 'welcome'
      readonly re: number
      readonly v: number
      readonly peerId: PeerId
      readonly token: string
      readonly tokenExpiresAtMs: number
      /** True when the token was honoured: the same member as before. */
      readonly resumed: boolean
      readonly room: string
      /** Changes when the server has forgotten the room: versions start anew. */
      readonly epoch: string
      readonly version: number
      readonly graceMs: number
      /** Everyone else in the room, the away ones included. */
      readonly members: readonly MemberInfo[]
      readonly iceServers: readonly IceServer[]
      readonly iceExpiresAtMs: number
      readonly limits: WelcomeLimits
      /** The server's clock, ms since 1970: the base of the room clock. */
      readonly timeMs: number
      /** Only where the server asks for access tokens. */
      readonly access?: AccessInfo
      /** The number before that of the next `published`; absent is 0. */
      readonly published?: number
      /** What is kept of this room; absent: nothing. */
      readonly history?: KeptInfo | undefined
    }
  | { readonly t: 'joined'; readonly version: number; readonly member: MemberInfo }
  | {
      readonly t: 'changed'
      readonly version: number
      readonly id: PeerId
      readonly profile?: Json
      readonly presence?: Presence
      readonly rights?: readonly Right[]
      readonly seal?: string
    }
  | {
      readonly t: 'left'
      readonly version: number
      readonly id: PeerId
      readonly reason: LeaveReason
      /** Of one that `expired`: for so long a direct path may keep it. Absent: as long as that is usable. */
      readonly keepMs?: number
    }
  | {
      readonly t: 'snapshot'
      readonly re: number
      readonly epoch: string
      readonly version: number
      readonly members: readonly MemberInfo[]
    }
  | {
      readonly t: 'renewed'
      readonly re: number
      readonly token: string
      readonly tokenExpiresAtMs: number
      readonly iceServers: readonly IceServer[]
      readonly iceExpiresAtMs: number
      readonly access?: AccessInfo
    }
  /** The access token runs out in so many ms: renew with another, or be closed with 4008. */
  | { readonly t: 'expiring'; readonly inMs: number }
  | Published
  | HistoryMessage
  | { readonly t: 'ok'; readonly re: number }
  /** `version`: the room's, as of now. A client that has an older one has lost an event: it asks for a snapshot. */
  | { readonly t: 'pong'; readonly n: number; readonly timeMs: number; readonly version?: number }
  /**
   * `frames` frames this member sent did not reach `to`: their queue was full (`slow`), they are away or gone (`absent`),
   * or this member may not send such (`denied`; nobody is named).
   */
  | {
      readonly t: 'dropped'
      readonly to: readonly PeerId[]
      readonly frames: number
      readonly reason: 'slow' | 'absent' | 'denied'
    }
  | {
      readonly t: 'error'
      readonly re?: number
      readonly code: ErrorCode
      readonly message: string
      /** The uplink is closed after this. */
      readonly fatal: boolean
      readonly retryAfterMs?: number
    }
  /** Said before every deliberate close, for carriers that have no close codes. */
  | { readonly t: 'bye'; readonly code: number; readonly reason: string; readonly retryAfterMs?: number }

/** All that a client hears which does not ask for what is kept. */
export type ReadMessage = Exclude<ServerMessage, HistoryMessage>
