import { announced } from './announced.ts'
import type { ClientMessage, LinkPaths } from './control.ts'
import { ProtocolError } from './errors.ts'
import { asInteger, asJson, asNumber, asObject, asString, type Fields, parseJson } from './guards.ts'
import { parseHistoryRequest } from './history.ts'
import { parseInstanceId } from './ids.ts'
import { LIMITS } from './limits.ts'
import { publishedSeen } from './published.ts'

const HEX_128 = /^[0-9a-f]{32}$/
const requestId = (fields: Fields): number => asInteger(fields.id, 'id', 0, 0xffff_ffff)
const accessToken = ({ access }: Fields): { readonly access?: string } =>
  access === undefined ? {} : { access: asString(access, 'access', LIMITS.accessTokenChars, 1) }

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
        profile: asJson(fields.profile, 'profile', profileBytes),
        instance: parseInstanceId(fields.instance, 'instance'),
        joinKey,
        ...(fields.token === undefined ? {} : { token: asString(fields.token, 'token', LIMITS.tokenChars, 1) }),
        ...accessToken(fields),
        ...announced(fields, 'seal'),
        ...publishedSeen(fields),
      }
    }
    case 'profile':
      return { t: 'profile', id: requestId(fields), profile: asJson(fields.profile, 'profile', profileBytes) }
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
