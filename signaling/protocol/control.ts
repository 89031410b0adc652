/**
 * Control messages: one JSON object each, as a text message of the uplink. `t` says which.
 * A request carries `id`; its answer carries the same number as `re`. Repeating a request is harmless.
 * Unknown fields are ignored, so that versions can grow; unknown `t` is `bad-message`.
 */
import {
  type AccessInfo,
  type MemberAccess,
  parseAccess,
  parseMemberAccess,
  parseRights,
  type Right,
} from './access.ts'
import { type ErrorCode, ProtocolError } from './errors.ts'
import {
  asArray,
  asBoolean,
  asInteger,
  asJson,
  asNumber,
  asObject,
  asOneOf,
  asString,
  type Fields,
  type Json,
  parseJson,
} from './guards.ts'
import { type HistoryMessage, type HistoryRequest, type KeptInfo, parseHistoryRequest } from './history.ts'
import { type InstanceId, type PeerId, parseInstanceId, parsePeerId } from './ids.ts'
import { LIMITS } from './limits.ts'
import { type Published, parsePublished } from './published.ts'

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

const requestId = (fields: Fields): number => asInteger(fields.id, 'id', 0, 0xffff_ffff)
const publishedSeen = ({ published }: Fields): { readonly published?: number } =>
  published === undefined ? {} : { published: asInteger(published, 'published', 0, Number.MAX_SAFE_INTEGER) }
const accessToken = ({ access }: Fields): { readonly access?: string } =>
  access === undefined ? {} : { access: asString(access, 'access', LIMITS.accessTokenChars, 1) }
const version = (fields: Fields): number => asInteger(fields.version, 'version', 0, Number.MAX_SAFE_INTEGER)
const HEX_128 = /^[0-9a-f]{32}$/
const BASE64URL = /^[\w-]+$/

function announced({ seal }: Fields, field: string): { readonly seal?: string } {
  if (seal === undefined) return {}
  if (!BASE64URL.test(asString(seal, field, LIMITS.sealChars, 1))) throw new ProtocolError(field, 'expected base64url')
  return { seal: seal as string }
}

const MOST_LINKS = 100_000

function parsePaths(value: unknown): LinkPaths {
  const fields = asObject(value, 'paths')
  const count = (path: keyof LinkPaths): number => asInteger(fields[path], `paths.${path}`, 0, MOST_LINKS)
  return { direct: count('direct'), turn: count('turn'), relay: count('relay') }
}

/** Read a message of a client, whose text is at most `LIMITS.controlBytes` long. @throws ProtocolError naming the field */
export function parseClientMessage(text: string, profileBytes: number = LIMITS.profileBytes): ClientMessage {
  if (text.length > LIMITS.controlBytes)
    throw new ProtocolError('message', `expected at most ${LIMITS.controlBytes} bytes`)
  const fields = asObject(parseJson(text, 'message'), 'message')
  switch (fields.t) {
    case 'join': {
      const joinKey = fields.joinKey
      if (typeof joinKey !== 'string' || !HEX_128.test(joinKey))
        throw new ProtocolError('joinKey', 'expected 32 hex digits')
      return {
        t: 'join',
        id: requestId(fields),
        vMin: asInteger(fields.vMin, 'vMin', 1, 0xffff),
        vMax: asInteger(fields.vMax, 'vMax', 1, 0xffff),
        room: asString(fields.room, 'room', LIMITS.roomNameBytes, 1),
        profile: asJson(fields.profile, 'profile', profileBytes, LIMITS.profileValues),
        instance: parseInstanceId(fields.instance, 'instance'),
        joinKey,
        ...(fields.token === undefined ? {} : { token: asString(fields.token, 'token', LIMITS.tokenChars, 1) }),
        ...accessToken(fields),
        ...announced(fields, 'seal'),
        ...publishedSeen(fields),
      }
    }
    case 'profile':
      return {
        t: 'profile',
        id: requestId(fields),
        profile: asJson(fields.profile, 'profile', profileBytes, LIMITS.profileValues),
      }
    case 'renew':
      return { t: 'renew', id: requestId(fields), ...accessToken(fields) }
    case 'snapshot':
      return { t: 'snapshot', id: requestId(fields) }
    case 'leave':
      return { t: 'leave', id: requestId(fields) }
    case 'grace':
      return { t: 'grace', graceMs: asInteger(fields.graceMs, 'graceMs', 0, 86_400_000) }
    case 'ping':
      return {
        t: 'ping',
        n: asInteger(fields.n, 'n', 0, 0xffff_ffff),
        ...(fields.rttMs === undefined ? {} : { rttMs: asNumber(fields.rttMs, 'rttMs') }),
        ...(fields.paths === undefined ? {} : { paths: parsePaths(fields.paths) }),
        ...publishedSeen(fields),
      }
    case 'history':
    case 'read':
    case 'positions':
      return parseHistoryRequest(fields.t, requestId(fields), fields)
    default:
      throw new ProtocolError(
        't',
        'expected join, profile, renew, snapshot, leave, grace, ping, history, read or positions',
      )
  }
}

/** The most members a welcome may list. */
const MOST_MEMBERS = 100_000
const ERROR_TEXT_BYTES = 4_096

function parseMember(value: unknown, field: string): MemberInfo {
  const fields = asObject(value, field)
  return {
    id: parsePeerId(fields.id, `${field}.id`),
    instance: parseInstanceId(fields.instance, `${field}.instance`),
    profile: (fields.profile ?? null) as Json,
    presence: asOneOf(fields.presence, `${field}.presence`, ['here', 'away']),
    ...parseMemberAccess(fields, field),
    ...announced(fields, `${field}.seal`),
  }
}

const parseMembers = (value: unknown): readonly MemberInfo[] =>
  asArray(value, 'members', MOST_MEMBERS).map((member, index) => parseMember(member, `members[${index}]`))

function parseIceServers(value: unknown): readonly IceServer[] {
  return asArray(value, 'iceServers', 64).map((server, index) => {
    const field = `iceServers[${index}]`
    const fields = asObject(server, field)
    return {
      urls: asArray(fields.urls, `${field}.urls`, 16).map((url) => asString(url, `${field}.urls`, 512, 1)),
      ...(fields.username === undefined ? {} : { username: asString(fields.username, `${field}.username`, 512) }),
      ...(fields.credential === undefined
        ? {}
        : { credential: asString(fields.credential, `${field}.credential`, 512) }),
    }
  })
}

function parseWelcomeLimits(value: unknown): WelcomeLimits {
  const fields = asObject(value, 'limits')
  const positive = (key: keyof WelcomeLimits): number =>
    asInteger(fields[key], `limits.${key}`, 1, Number.MAX_SAFE_INTEGER)
  return {
    frameBytes: positive('frameBytes'),
    packetBytes: positive('packetBytes'),
    profileBytes: positive('profileBytes'),
    membersPerRoom: positive('membersPerRoom'),
    messagesPerSecond: positive('messagesPerSecond'),
    bytesPerSecond: positive('bytesPerSecond'),
  }
}

const retryAfter = (fields: Fields): { readonly retryAfterMs?: number } =>
  fields.retryAfterMs === undefined ? {} : { retryAfterMs: asNumber(fields.retryAfterMs, 'retryAfterMs') }
const answerTo = (fields: Fields): number => asInteger(fields.re, 're', 0, 0xffff_ffff)

/** All that a client hears which does not ask for what is kept. */
export type ReadMessage = Exclude<ServerMessage, HistoryMessage>

/** Read a message of the server; `parseAnyServerMessage` reads those about what is kept, too. @throws ProtocolError naming the field */
export function parseServerMessage(text: string): ReadMessage {
  const fields = asObject(parseJson(text, 'message'), 'message')
  switch (fields.t) {
    case 'welcome':
      return {
        t: 'welcome',
        re: answerTo(fields),
        v: asInteger(fields.v, 'v', VERSION.min, VERSION.max),
        peerId: parsePeerId(fields.peerId, 'peerId'),
        token: asString(fields.token, 'token', LIMITS.tokenChars, 1),
        tokenExpiresAtMs: asNumber(fields.tokenExpiresAtMs, 'tokenExpiresAtMs'),
        resumed: asBoolean(fields.resumed, 'resumed'),
        room: asString(fields.room, 'room', LIMITS.roomNameBytes, 1),
        epoch: asString(fields.epoch, 'epoch', 64, 1),
        version: version(fields),
        graceMs: asInteger(fields.graceMs, 'graceMs', 0, 86_400_000),
        members: parseMembers(fields.members),
        iceServers: parseIceServers(fields.iceServers),
        iceExpiresAtMs: asNumber(fields.iceExpiresAtMs, 'iceExpiresAtMs'),
        limits: parseWelcomeLimits(fields.limits),
        timeMs: asNumber(fields.timeMs, 'timeMs'),
        ...parseAccess(fields),
        ...publishedSeen(fields),
        // Whoever has a use for it checks it: `parseKept`.
        history: fields.history as KeptInfo | undefined,
      }
    case 'joined':
      return { t: 'joined', version: version(fields), member: parseMember(fields.member, 'member') }
    case 'changed':
      return {
        t: 'changed',
        version: version(fields),
        id: parsePeerId(fields.id, 'id'),
        ...(fields.profile === undefined ? {} : { profile: fields.profile as Json }),
        ...(fields.presence === undefined ? {} : { presence: asOneOf(fields.presence, 'presence', ['here', 'away']) }),
        ...(fields.rights === undefined ? {} : { rights: parseRights(fields.rights, 'rights') }),
        ...announced(fields, 'seal'),
      }
    case 'left':
      return {
        t: 'left',
        version: version(fields),
        id: parsePeerId(fields.id, 'id'),
        reason: asOneOf(fields.reason, 'reason', ['left', 'expired', 'removed']),
        ...(fields.keepMs === undefined ? {} : { keepMs: asNumber(fields.keepMs, 'keepMs') }),
      }
    case 'snapshot':
      return {
        t: 'snapshot',
        re: answerTo(fields),
        epoch: asString(fields.epoch, 'epoch', 64, 1),
        version: version(fields),
        members: parseMembers(fields.members),
      }
    case 'renewed':
      return {
        t: 'renewed',
        re: answerTo(fields),
        token: asString(fields.token, 'token', LIMITS.tokenChars, 1),
        tokenExpiresAtMs: asNumber(fields.tokenExpiresAtMs, 'tokenExpiresAtMs'),
        iceServers: parseIceServers(fields.iceServers),
        iceExpiresAtMs: asNumber(fields.iceExpiresAtMs, 'iceExpiresAtMs'),
        ...parseAccess(fields),
      }
    case 'expiring':
      return { t: 'expiring', inMs: asNumber(fields.inMs, 'inMs') }
    case 'published':
      return parsePublished(fields)
    case 'ok':
      return { t: 'ok', re: answerTo(fields) }
    case 'pong':
      return {
        t: 'pong',
        n: asInteger(fields.n, 'n', 0, 0xffff_ffff),
        timeMs: asNumber(fields.timeMs, 'timeMs'),
        ...(fields.version === undefined ? {} : { version: version(fields) }),
      }
    case 'dropped':
      return {
        t: 'dropped',
        to: asArray(fields.to, 'to', MOST_MEMBERS).map((id) => parsePeerId(id, 'to')),
        frames: asInteger(fields.frames, 'frames', 0, Number.MAX_SAFE_INTEGER),
        reason: asOneOf(fields.reason, 'reason', ['slow', 'absent', 'denied']),
      }
    case 'error':
      return {
        t: 'error',
        ...(fields.re === undefined ? {} : { re: answerTo(fields) }),
        // A newer server may have codes that this client does not know: they are passed on as they are.
        code: asString(fields.code, 'code', 64, 1) as ErrorCode,
        message: asString(fields.message, 'message', ERROR_TEXT_BYTES),
        fatal: asBoolean(fields.fatal, 'fatal'),
        ...retryAfter(fields),
      }
    case 'bye':
      return {
        t: 'bye',
        code: asInteger(fields.code, 'code', 1000, 4999),
        reason: asString(fields.reason, 'reason', ERROR_TEXT_BYTES),
        ...retryAfter(fields),
      }
    default:
      throw new ProtocolError(
        't',
        typeof fields.t === 'string' ? `unknown message ${fields.t.slice(0, 40)}` : 'expected a string',
      )
  }
}
