/** Messages about what the server keeps of a room. PROTOCOL.md, "History", says what they mean. */

import { parseServerMessage, type ServerMessage } from './control.ts'
import type { ErrorCode } from './errors.ts'
import { ProtocolError } from './errors.ts'
import {
  asArray,
  asBoolean,
  asInteger,
  asNumber,
  asObject,
  asString,
  type Fields,
  type Json,
  parseJson,
} from './guards.ts'
import { HISTORY_LIMITS } from './history-limits.ts'
import { type PeerId, parsePeerId } from './ids.ts'
import { LIMITS } from './limits.ts'

/** What is kept of a room, in its welcome. */
export interface KeptInfo {
  /** Patterns on the application's names of channels; `*` stands for any characters. */
  readonly channels: readonly string[]
  /** The most, and for how long. */
  readonly messages: number
  readonly ageMs: number
  /** The longest body of a record. */
  readonly bodyBytes: number
  /** The most that are kept for a user who is away; absent or 0: none. */
  readonly mail?: number
}

/** A stored message as it is told. */
export interface HistoryEntry {
  readonly offset: number
  /** The same as of its live copies. */
  readonly id: string
  /** As the application names it. */
  readonly channel: string
  /** When it was stored, ms since 1970 on the server's clock. */
  readonly atMs: number
  /** Absent: a backend published it. */
  readonly from?: PeerId
  /** Of the sender, then. */
  readonly userId?: string
  readonly profile?: Json
  /** The body of the record. */
  readonly base64: string
}

export type HistoryRequest =
  /** Stored messages, and with `follow` from now on word of new ones. */
  | {
      readonly t: 'history'
      readonly id: number
      /** 0 to 256. */
      readonly limit: number
      /** The first beyond this offset, or the last before that one; neither: the last. */
      readonly after?: number
      readonly before?: number
      /** Of `after` and `before`. */
      readonly epoch?: string
      readonly follow?: boolean
      /** Of this user's mailbox. */
      readonly mail?: boolean
    }
  /** This user has read so far. */
  | {
      readonly t: 'read'
      readonly id: number
      readonly epoch: string
      readonly offset: number
      readonly mail?: boolean
      /** Others may know. */
      readonly share?: boolean
    }
  | { readonly t: 'positions'; readonly id: number }

/** What became of one record: stored under this offset (none for mail), or refused. */
export interface RecordOutcome {
  readonly n: number
  readonly offset?: number
  readonly code?: ErrorCode
}

export interface ReadPosition {
  readonly userId: string
  readonly offset: number
}

export type HistoryMessage =
  | {
      readonly t: 'history'
      readonly re: number
      /** Absent: nothing was stored yet. */
      readonly epoch?: string
      /** The oldest kept, and the next to come. */
      readonly first: number
      readonly next: number
      readonly entries: readonly HistoryEntry[]
      /** There are others beyond, in the direction asked for. */
      readonly more: boolean
      /** The user's own, and how many entries of others come after it. */
      readonly position?: number
      readonly unread?: number
      readonly mail?: boolean
    }
  | { readonly t: 'stored'; readonly epoch?: string; readonly of: readonly RecordOutcome[] }
  | {
      readonly t: 'logged'
      /** Absent: the log was cleared. */
      readonly epoch?: string
      readonly of: readonly { readonly offset: number; readonly id: string }[]
      readonly mail?: boolean
    }
  | {
      readonly t: 'position'
      readonly userId: string
      readonly epoch: string
      readonly offset: number
      readonly mail?: boolean
    }
  | { readonly t: 'positions'; readonly re: number; readonly epoch?: string; readonly of: readonly ReadPosition[] }

const MOST = Number.MAX_SAFE_INTEGER
/** `<instance>-<channel>-u<number>` has 48 characters; a backend's message may have another. */
const ID_BYTES = 64
const EPOCH_BYTES = 64
const CHANNEL_PATTERNS = 64

const uint = (fields: Fields, key: string, least = 0): number => asInteger(fields[key], key, least, MOST)
const epochOf = ({ epoch }: Fields): { readonly epoch?: string } =>
  epoch === undefined ? {} : { epoch: asString(epoch, 'epoch', EPOCH_BYTES, 1) }

/** A flag that is there only when it was said. */
function flag<const K extends string>(fields: Fields, key: K): { readonly [P in K]?: boolean } {
  const value = fields[key]
  return (value === undefined ? {} : { [key]: asBoolean(value, key) }) as { readonly [P in K]?: boolean }
}

/** @throws ProtocolError */
export function parseHistoryRequest(t: HistoryRequest['t'], id: number, fields: Fields): HistoryRequest {
  if (t === 'positions') return { t, id }
  if (t === 'read') {
    const epoch = asString(fields.epoch, 'epoch', EPOCH_BYTES, 1)
    return { t, id, epoch, offset: uint(fields, 'offset'), ...flag(fields, 'mail'), ...flag(fields, 'share') }
  }
  if (fields.after !== undefined && fields.before !== undefined) {
    throw new ProtocolError('before', 'expected either after or before')
  }
  return {
    t,
    id,
    limit: asInteger(fields.limit, 'limit', 0, HISTORY_LIMITS.historyEntries),
    ...(fields.after === undefined ? {} : { after: uint(fields, 'after') }),
    ...(fields.before === undefined ? {} : { before: uint(fields, 'before', 1) }),
    ...epochOf(fields),
    ...flag(fields, 'follow'),
    ...flag(fields, 'mail'),
  }
}

function parseEntry(value: unknown, field: string): HistoryEntry {
  const fields = asObject(value, field)
  return {
    offset: uint(fields, 'offset', 1),
    id: asString(fields.id, `${field}.id`, ID_BYTES, 1),
    channel: asString(fields.channel, `${field}.channel`, LIMITS.channelNameBytes, 1),
    atMs: asNumber(fields.atMs, `${field}.atMs`),
    ...(fields.from === undefined ? {} : { from: parsePeerId(fields.from, `${field}.from`) }),
    ...(fields.userId === undefined
      ? {}
      : { userId: asString(fields.userId, `${field}.userId`, LIMITS.userIdBytes, 1) }),
    ...(fields.profile === undefined ? {} : { profile: fields.profile as Json }),
    base64: asString(fields.base64, `${field}.base64`, 4 * HISTORY_LIMITS.storedBytes),
  }
}

function parseOutcome(value: unknown): RecordOutcome {
  const fields = asObject(value, 'of')
  return {
    n: asInteger(fields.n, 'of.n', 1, 0xffff_ffff),
    ...(fields.offset === undefined ? {} : { offset: uint(fields, 'offset', 1) }),
    // A newer server may have codes that this client does not know.
    ...(fields.code === undefined ? {} : { code: asString(fields.code, 'of.code', 64, 1) as ErrorCode }),
  }
}

const items = <T>(fields: Fields, most: number, parse: (value: unknown) => T): readonly T[] =>
  asArray(fields.of, 'of', most).map(parse)
const answerTo = (fields: Fields): number => asInteger(fields.re, 're', 0, 0xffff_ffff)
const userIdOf = (fields: Fields): string => asString(fields.userId, 'userId', LIMITS.userIdBytes, 1)

/** Undefined when it is another message. @throws ProtocolError */
function parseHistoryMessage(fields: Fields): HistoryMessage | undefined {
  const { t } = fields
  switch (t) {
    case 'history':
      return {
        t,
        re: answerTo(fields),
        ...epochOf(fields),
        first: uint(fields, 'first', 1),
        next: uint(fields, 'next', 1),
        entries: asArray(fields.entries, 'entries', HISTORY_LIMITS.historyEntries).map((entry, index) =>
          parseEntry(entry, `entries[${index}]`),
        ),
        more: asBoolean(fields.more, 'more'),
        ...(fields.position === undefined ? {} : { position: uint(fields, 'position') }),
        ...(fields.unread === undefined ? {} : { unread: uint(fields, 'unread') }),
        ...flag(fields, 'mail'),
      }
    case 'stored':
      return { t, ...epochOf(fields), of: items(fields, HISTORY_LIMITS.loggedItems, parseOutcome) }
    case 'logged':
      return {
        t,
        ...epochOf(fields),
        of: items(fields, HISTORY_LIMITS.loggedItems, (value) => {
          const one = asObject(value, 'of')
          return { offset: uint(one, 'offset', 1), id: asString(one.id, 'of.id', ID_BYTES, 1) }
        }),
        ...flag(fields, 'mail'),
      }
    case 'position': {
      const epoch = asString(fields.epoch, 'epoch', EPOCH_BYTES, 1)
      return { t, userId: userIdOf(fields), epoch, offset: uint(fields, 'offset'), ...flag(fields, 'mail') }
    }
    case 'positions':
      return {
        t,
        re: answerTo(fields),
        ...epochOf(fields),
        of: items(fields, HISTORY_LIMITS.positions + 1, (value) => {
          const one = asObject(value, 'of')
          return { userId: userIdOf(one), offset: uint(one, 'offset') }
        }),
      }
    default:
      return undefined
  }
}

/** Read a message of the server, of whatever kind. @throws ProtocolError naming the field */
export function parseAnyServerMessage(text: string): ServerMessage {
  return parseHistoryMessage(asObject(parseJson(text, 'message'), 'message')) ?? parseServerMessage(text)
}

/** `history` of a welcome, which is handed on as it came. @throws ProtocolError */
export function parseKept(history: unknown): KeptInfo {
  const fields = asObject(history, 'history')
  return {
    channels: asArray(fields.channels, 'history.channels', CHANNEL_PATTERNS).map((pattern) =>
      asString(pattern, 'history.channels', 256, 1),
    ),
    messages: uint(fields, 'messages', 1),
    ageMs: uint(fields, 'ageMs', 1),
    bodyBytes: uint(fields, 'bodyBytes', 1),
    ...(fields.mail === undefined ? {} : { mail: uint(fields, 'mail') }),
  }
}
