import { ProtocolError } from './errors.ts'
import { asInteger, asNumber, asOneOf, asString, type Fields, type Json } from './guards.ts'
import { LIMITS } from './limits.ts'

/** A message from the server, published by a backend: never a member's. */
export interface Published {
  readonly t: 'published'
  /** Counts the messages to this session, one by one. What is not beyond the last is a repeat. */
  readonly n: number
  /** The same at everyone who gets it. */
  readonly id: string
  /** Of the application, without the letter of its kind. */
  readonly channel: string
  /** Who was addressed: everyone in the room, this member, or all members of its user. */
  readonly to: 'room' | 'member' | 'user'
  /** On the room clock. */
  readonly sentAtMs: number
  /** Its place in the room's history, when it is stored. */
  readonly offset?: number | undefined
  readonly epoch?: string | undefined
  /** One of these two: JSON, or bytes. */
  readonly data?: Json
  readonly base64?: string
}

/** Four letters for three bytes, the last group whole. */
const base64Chars = (bytes: number): number => 4 * Math.ceil(bytes / 3)

export function parsePublished(fields: Fields): Published {
  const { data, base64, offset, epoch } = fields
  if ((data === undefined) === (base64 === undefined)) throw new ProtocolError('data', 'expected data or base64')
  return {
    t: 'published',
    n: asInteger(fields.n, 'n', 1, Number.MAX_SAFE_INTEGER),
    id: asString(fields.id, 'id', 64, 1),
    channel: asString(fields.channel, 'channel', LIMITS.channelNameBytes, 1),
    to: asOneOf(fields.to, 'to', ['room', 'member', 'user']),
    sentAtMs: asNumber(fields.sentAtMs, 'sentAtMs'),
    // Whoever has a use for its place looks at it more closely.
    offset: offset as number | undefined,
    epoch: epoch as string | undefined,
    ...(base64 === undefined
      ? { data: data as Json }
      : { base64: asString(base64, 'base64', base64Chars(LIMITS.publishBytes)) }),
  }
}

/** The number of the last one that came, as a client says it, or that before the next, as the server does. */
export const publishedSeen = ({ published }: Fields): { readonly published?: number } =>
  published === undefined ? {} : { published: asInteger(published, 'published', 0, Number.MAX_SAFE_INTEGER) }
