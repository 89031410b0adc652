/** Messages about what the server keeps of a room. PROTOCOL.md, "History", says what they mean. */

import type { ErrorCode } from './errors.ts'
import { ProtocolError } from './errors.ts'
import { asBoolean, asInteger, asString, type Fields, type Json } from './guards.ts'
import { HISTORY_LIMITS } from './history-limits.ts'
import type { PeerId } from './ids.ts'

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

const EPOCH_BYTES = 64

const offsetOf = (fields: Fields, key: string, least = 0): number =>
  asInteger(fields[key], key, least, Number.MAX_SAFE_INTEGER)
const flags = (fields: Fields, ...keys: readonly string[]): { readonly [key: string]: boolean } =>
  Object.fromEntries(keys.flatMap((key) => (fields[key] === undefined ? [] : [[key, asBoolean(fields[key], key)]])))

/** @throws ProtocolError */
export function parseHistoryRequest(t: HistoryRequest['t'], id: number, fields: Fields): HistoryRequest {
  if (t === 'positions') return { t, id }
  if (t === 'read') {
    const epoch = asString(fields.epoch, 'epoch', EPOCH_BYTES, 1)
    return { t, id, epoch, offset: offsetOf(fields, 'offset'), ...flags(fields, 'mail', 'share') }
  }
  if (fields.after !== undefined && fields.before !== undefined) {
    throw new ProtocolError('before', 'expected either after or before')
  }
  return {
    t,
    id,
    limit: asInteger(fields.limit, 'limit', 0, HISTORY_LIMITS.historyEntries),
    ...(fields.after === undefined ? {} : { after: offsetOf(fields, 'after') }),
    ...(fields.before === undefined ? {} : { before: offsetOf(fields, 'before', 1) }),
    ...(fields.epoch === undefined ? {} : { epoch: asString(fields.epoch, 'epoch', EPOCH_BYTES, 1) }),
    ...flags(fields, 'follow', 'mail'),
  }
}
