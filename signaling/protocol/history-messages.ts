/** Reading what the server says of what it keeps, apart from the rest: most clients never hear of it. */

import type { ErrorCode } from './errors.ts'
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
import type { HistoryEntry, HistoryMessage, KeptInfo, RecordOutcome } from './history.ts'
import { HISTORY_LIMITS } from './history-limits.ts'
import { parsePeerId } from './ids.ts'

const MOST = Number.MAX_SAFE_INTEGER
const EPOCH_BYTES = 64

const uint = (fields: Fields, key: string, least = 0): number => asInteger(fields[key], key, least, MOST)
const epochOf = ({ epoch }: Fields): { readonly epoch?: string } =>
  epoch === undefined ? {} : { epoch: asString(epoch, 'epoch', EPOCH_BYTES, 1) }

/** A flag that is there only when it was said. */
function flag<const K extends string>(fields: Fields, key: K): { readonly [P in K]?: boolean } {
  const value = fields[key]
  return (value === undefined ? {} : { [key]: asBoolean(value, key) }) as { readonly [P in K]?: boolean }
}
/** `<instance>-<channel>-u<number>` has 48 characters; a backend's message may have another. */
const ID_BYTES = 64
const CHANNEL_PATTERNS = 64
/** Of channels, and ids of users: the server sees to less. `LIMITS` as a whole would be in each client's first file. */
const NAME_BYTES = 256

function parseEntry(value: unknown, field: string): HistoryEntry {
  const fields = asObject(value, field)
  return {
    offset: uint(fields, 'offset', 1),
    id: asString(fields.id, `${field}.id`, ID_BYTES, 1),
    channel: asString(fields.channel, `${field}.channel`, NAME_BYTES, 1),
    atMs: asNumber(fields.atMs, `${field}.atMs`),
    ...(fields.from === undefined ? {} : { from: parsePeerId(fields.from, `${field}.from`) }),
    ...(fields.userId === undefined ? {} : { userId: asString(fields.userId, `${field}.userId`, NAME_BYTES, 1) }),
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
const userIdOf = (fields: Fields): string => asString(fields.userId, 'userId', NAME_BYTES, 1)

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

/** Undefined when it is not about what is kept. @throws ProtocolError naming the field */
export const readHistoryMessage = (text: string): HistoryMessage | undefined =>
  parseHistoryMessage(asObject(parseJson(text, 'message'), 'message'))

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
