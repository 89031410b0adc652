/** What goes in and out of the API: checked when it comes in, and told in the OpenAPI file. */

import * as z from 'zod'
import { asJson, utf8Bytes } from '../protocol/guards.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'
import { LIMITS } from '../protocol/limits.ts'
import { API_ERROR_CODES } from './api-error.ts'

const within = (mostBytes: number) => (text: string) => utf8Bytes(text) <= mostBytes
const bounded = (what: string, mostBytes: number) =>
  z
    .string()
    .min(1)
    .max(mostBytes)
    .refine(within(mostBytes), `expected at most ${mostBytes} bytes of UTF-8`)
    .meta({ description: `${what}, 1 to ${mostBytes} bytes of UTF-8` })

/** As the client's: room is left for what stands before it on the wire. */
const CHANNEL_BYTES = LIMITS.channelNameBytes - 4

export const RoomName = bounded('Name of a room', LIMITS.roomNameBytes)
export const UserId = bounded('Id of a user, the `sub` of its access tokens', LIMITS.userIdBytes)
export const PeerIdText = z
  .string()
  .regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits')
  .meta({ description: 'Id of a member' })

function isPublishable(value: unknown): boolean {
  try {
    asJson(value, 'data', LIMITS.publishBytes)
    return true
  } catch {
    return false
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const base64Chars = 4 * Math.ceil(LIMITS.publishBytes / 3)

const message = {
  channel: bounded('The channel it comes out of, as the application names it', CHANNEL_BYTES),
  data: z
    .unknown()
    .refine(
      (value) => value === undefined || isPublishable(value),
      `expected JSON of at most ${LIMITS.publishBytes} bytes, at most 64 levels deep`,
    )
    .meta({ description: `JSON, at most ${LIMITS.publishBytes} bytes. Either this or base64.` })
    .optional(),
  base64: z
    .string()
    .max(base64Chars)
    .regex(BASE64, 'expected base64 with padding')
    .meta({ description: `Bytes, at most ${LIMITS.publishBytes}, in base64 with padding. Either this or data.` })
    .optional(),
}
const ONE_OF = { message: 'expected either data or base64', path: ['data'] }
const hasOne = ({ data, base64 }: { data?: unknown; base64?: string | undefined }): boolean =>
  (data === undefined) !== (base64 === undefined)

export const MessageBody = z.strictObject(message).refine(hasOne, ONE_OF)
const store = z.boolean().meta({ description: 'Keep it, too' }).optional()
export const StoredMessageBody = z.strictObject({ ...message, store }).refine(hasOne, ONE_OF)
export const UserMessageBody = z
  .strictObject({ ...message, store, room: RoomName.meta({ description: 'Only its members in this room' }).optional() })
  .refine(hasOne, ONE_OF)
  .refine(({ store: kept, room }) => kept !== true || room !== undefined, {
    message: 'expected a room: mailboxes are in rooms',
    path: ['room'],
  })

const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const mailbox = UserId.meta({ description: 'Of the mailbox of this user in the room, instead' }).optional()
export const LogQuery = z.strictObject({ user: mailbox })
export const HistoryQuery = z
  .strictObject({
    limit: z.coerce
      .number()
      .int()
      .min(0)
      .max(HISTORY_LIMITS.historyEntries)
      .default(50)
      .meta({ description: 'At most so many' }),
    before: offset.min(1).meta({ description: 'The last ones before this offset' }).optional(),
    after: offset.meta({ description: 'The first ones after this offset; not together with before' }).optional(),
    user: mailbox,
  })
  .refine(({ before, after }) => before === undefined || after === undefined, {
    message: 'expected either before or after',
    path: ['after'],
  })

export const RoomsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(100).meta({ description: 'At most so many' }),
  after: RoomName.meta({ description: 'The `next` of the answer before' }).optional(),
})

const count = z.number().int().min(0)
export const Room = z.strictObject({
  name: z.string(),
  members: count.meta({ description: 'The away and the hidden ones included' }),
  away: count,
  hidden: count.meta({ description: 'Members without the right to see members' }),
})
export const RoomList = z.strictObject({
  rooms: z.array(Room).meta({ description: 'In the order of their names' }),
  next: z.string().meta({ description: 'There are more: ask for those after this one' }).optional(),
})
export const Member = z.strictObject({
  id: PeerIdText,
  userId: z.string().optional(),
  profile: z.unknown().meta({ description: 'JSON' }),
  presence: z.enum(['here', 'away']),
  hidden: z.boolean(),
  joinedAtMs: z.number(),
})
export const MemberList = z.strictObject({ members: z.array(Member) })
export const Removed = z.strictObject({ removed: count.meta({ description: 'Members that were removed' }) })
export const HistoryPage = z.strictObject({
  epoch: z.string().meta({ description: 'Absent: nothing was stored yet' }).optional(),
  first: count.meta({ description: 'The oldest offset that is kept' }),
  next: count.meta({ description: 'That of the next message' }),
  more: z.boolean().meta({ description: 'There are others beyond, in the direction asked for' }),
  entries: z.array(
    z.strictObject({
      offset: count,
      id: z.string(),
      channel: z.string(),
      atMs: z.number().meta({ description: 'When it was stored' }),
      sentAtMs: z.number().optional(),
      from: PeerIdText.meta({ description: 'The member that sent it; absent: a backend' }).optional(),
      userId: z.string().optional(),
      profile: z.unknown().meta({ description: 'JSON; of the sender, then' }).optional(),
      data: z.unknown().meta({ description: 'JSON. This, text, base64 or sealed' }).optional(),
      text: z.string().optional(),
      base64: z.string().meta({ description: 'Bytes' }).optional(),
      sealed: z.string().meta({ description: 'In base64: only who has the secret of the room can read it' }).optional(),
    }),
  ),
})
export const Cleared = z.strictObject({ cleared: z.boolean().meta({ description: 'False: there was nothing' }) })
export const PublishedAnswer = z.strictObject({
  id: z.string(),
  sentAtMs: z.number(),
  epoch: z.string().meta({ description: 'Of the log, when it was stored' }).optional(),
  offset: count.meta({ description: 'Its place there' }).optional(),
  members: count.meta({ description: 'Who have it, or get it when they come back within their grace period' }),
})
export const ErrorBody = z.strictObject({
  error: z.strictObject({
    code: z.enum(API_ERROR_CODES as [string, ...string[]]),
    message: z.string().meta({ description: 'For people; it may change' }),
    field: z.string().meta({ description: 'The part of the request that is wrong' }).optional(),
  }),
})

export type MessageInput = z.infer<typeof MessageBody>
