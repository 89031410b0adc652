import { parseAccess, parseMemberAccess, parseRights } from './access.ts'
import { announced } from './announced.ts'
import { type IceServer, type MemberInfo, type ReadMessage, VERSION, type WelcomeLimits } from './control.ts'
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
import type { KeptInfo } from './history.ts'
import { parseInstanceId, parsePeerId } from './ids.ts'
import { LIMITS } from './limits.ts'
import { parsePublished, publishedSeen } from './published.ts'

/** As large as any that a server lets a member set, however much it allows. */
const parseProfile = (value: unknown, field: string): Json =>
  asJson(value ?? null, field, LIMITS.controlBytes, LIMITS.profileValues)

function parseMember(value: unknown, field: string): MemberInfo {
  const fields = asObject(value, field)
  return {
    id: parsePeerId(fields.id, `${field}.id`),
    instance: parseInstanceId(fields.instance, `${field}.instance`),
    profile: parseProfile(fields.profile, `${field}.profile`),
    presence: asOneOf(fields.presence, `${field}.presence`, ['here', 'away']),
    ...parseMemberAccess(fields, field),
    ...announced(fields, `${field}.seal`),
  }
}

const parseMembers = (value: unknown): readonly MemberInfo[] =>
  asArray(value, 'members', LIMITS.listedMembers).map((member, index) => parseMember(member, `members[${index}]`))

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

const ERROR_TEXT_BYTES = 4_096
const version = (fields: Fields): number => asInteger(fields.version, 'version', 0, Number.MAX_SAFE_INTEGER)
const retryAfter = (fields: Fields): { readonly retryAfterMs?: number } =>
  fields.retryAfterMs === undefined ? {} : { retryAfterMs: asNumber(fields.retryAfterMs, 'retryAfterMs') }
const answerTo = (fields: Fields): number => asInteger(fields.re, 're', 0, 0xffff_ffff)

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
        ...(fields.profile === undefined ? {} : { profile: parseProfile(fields.profile, 'profile') }),
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
        to: asArray(fields.to, 'to', LIMITS.listedMembers).map((id) => parsePeerId(id, 'to')),
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
