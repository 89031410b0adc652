import * as z from 'zod'
import type { PeerId } from '../protocol/ids.ts'
import type { Directory, MemberSummary, PublishedContent } from '../rooms/directory.ts'
import { ApiError } from './api-error.ts'
import {
  Member,
  MemberList,
  MessageBody,
  type MessageInput,
  PeerIdText,
  PublishedAnswer,
  Removed,
  Room,
  RoomList,
  RoomName,
  RoomsQuery,
  UserId,
  UserMessageBody,
} from './schemas.ts'

/** A request whose parts have been checked. */
interface Asked<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/** One thing that can be asked of the API. What it says of itself stands in the OpenAPI file. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/api/v1`, with `{name}` for each parameter. */
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly params: z.ZodObject
  readonly query: z.ZodObject | undefined
  readonly body: z.ZodType | undefined
  /** Of a good answer. */
  readonly answer: z.ZodType | undefined
  /** Statuses of errors of its own, and what they mean. */
  readonly errors: Readonly<Record<number, string>>
  /** The body of the answer. @throws ApiError */
  run(asked: Asked<unknown, unknown, unknown>): object
}

interface RouteParts<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>
  extends Pick<Route, 'method' | 'path' | 'id' | 'summary' | 'answer' | 'errors'> {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  run(asked: Asked<z.infer<P>, z.infer<Q>, z.infer<B>>): object
}

const NO_PARAMS = z.strictObject({})

/** Checks what comes, so that `run` gets it with its types. */
function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(parts: RouteParts<P, Q, B>): Route {
  const { params, query, body } = parts
  return {
    ...parts,
    params: params ?? NO_PARAMS,
    query,
    body,
    run: (asked) =>
      parts.run({
        params: checked(params ?? NO_PARAMS, asked.params) as z.infer<P>,
        query: checked(query ?? NO_PARAMS, asked.query) as z.infer<Q>,
        body: (body === undefined ? undefined : checked(body, asked.body)) as z.infer<B>,
      }),
  }
}

function checked(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = issue?.path.join('.') || undefined
  throw new ApiError('bad-request', `${field ?? 'the request'}: ${issue?.message ?? 'is malformed'}`, field)
}

const NO_ROOM = { 404: 'no-such-room: nobody is in a room of this name' }
const NO_MEMBER = { 404: 'no-such-member: there is no such member in the room' }
const HISTORY = { 501: 'not-implemented: this version keeps no history' }

const noRoom = (): ApiError => new ApiError('no-such-room', 'nobody is in a room of this name')
const noMember = (): ApiError => new ApiError('no-such-member', 'there is no such member in the room')
const noHistory = (): ApiError => new ApiError('not-implemented', 'this version keeps no history')

const ofRoom = z.strictObject({ room: RoomName })
const ofMember = z.strictObject({ room: RoomName, member: PeerIdText })

const content = ({ data, base64 }: MessageInput): PublishedContent =>
  base64 === undefined ? ({ data } as PublishedContent) : { base64 }

const shown = ({ userId, ...member }: MemberSummary): object => ({
  ...member,
  ...(userId === undefined ? {} : { userId }),
})

/** Everything the API can do. */
export function apiRoutes(directory: Directory): readonly Route[] {
  const known = (room: string): readonly MemberSummary[] => {
    const members = directory.members(room)
    if (members === undefined) throw noRoom()
    return members
  }
  return [
    route({
      ...{ method: 'GET', path: '/rooms', id: 'listRooms', summary: 'Rooms that somebody is in' },
      ...{ query: RoomsQuery, answer: RoomList, errors: {} },
      run: ({ query: { limit, after } }) => {
        const rooms = [...directory.rooms()].filter(({ name }) => after === undefined || name > after)
        rooms.sort((one, other) => (one.name < other.name ? -1 : 1))
        const page = rooms.slice(0, limit)
        return { rooms: page, ...(rooms.length > limit ? { next: page.at(-1)?.name } : {}) }
      },
    }),
    route({
      ...{ method: 'GET', path: '/rooms/{room}', id: 'getRoom', summary: 'One room' },
      ...{ params: ofRoom, answer: Room, errors: NO_ROOM },
      run: ({ params }) => {
        const room = directory.room(params.room)
        if (room === undefined) throw noRoom()
        return room
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/rooms/{room}', id: 'closeRoom' },
      summary: 'Remove everyone from a room. Whoever joins next opens it anew.',
      ...{ params: ofRoom, answer: Removed, errors: NO_ROOM },
      run: ({ params }) => {
        const removed = directory.close(params.room)
        if (removed === undefined) throw noRoom()
        return { removed }
      },
    }),
    route({
      ...{ method: 'GET', path: '/rooms/{room}/members', id: 'listMembers', summary: 'Who is in a room' },
      ...{ params: ofRoom, answer: MemberList, errors: NO_ROOM },
      run: ({ params }) => ({ members: known(params.room).map(shown) }),
    }),
    route({
      ...{ method: 'GET', path: '/rooms/{room}/members/{member}', id: 'getMember', summary: 'One member' },
      ...{ params: ofMember, answer: Member, errors: NO_MEMBER },
      run: ({ params }) => {
        const member = directory.members(params.room)?.find(({ id }) => id === params.member)
        if (member === undefined) throw noMember()
        return shown(member)
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/rooms/{room}/members/{member}', id: 'removeMember' },
      summary:
        'Remove a member: it is closed with 4005, and its session is over. With a good access token it may join again as a new one. Of one that is gone already (404) the others let go, too, who may keep it by direct paths.',
      ...{ params: ofMember, answer: Removed, errors: NO_MEMBER },
      run: ({ params }) => {
        if (!directory.remove(params.room, params.member as PeerId)) throw noMember()
        return { removed: 1 }
      },
    }),
    route({
      ...{ method: 'POST', path: '/rooms/{room}/messages', id: 'publishToRoom' },
      summary: 'Publish to everyone in a room. Nobody being there is no error.',
      ...{ params: ofRoom, body: MessageBody, answer: PublishedAnswer, errors: {} },
      run: ({ params, body }) => directory.publish({ to: 'room', room: params.room }, body.channel, content(body)),
    }),
    route({
      ...{ method: 'POST', path: '/rooms/{room}/members/{member}/messages', id: 'publishToMember' },
      summary: 'Publish to one member',
      ...{ params: ofMember, body: MessageBody, answer: PublishedAnswer, errors: NO_MEMBER },
      run: ({ params: { room, member }, body }) => {
        const told = directory.publish({ to: 'member', room, id: member as PeerId }, body.channel, content(body))
        if (told.members === 0) throw noMember()
        return told
      },
    }),
    route({
      ...{ method: 'POST', path: '/users/{user}/messages', id: 'publishToUser' },
      summary: 'Publish to all members of a user, in all rooms or one. Nobody being there is no error.',
      ...{ params: z.strictObject({ user: UserId }), body: UserMessageBody, answer: PublishedAnswer, errors: {} },
      run: ({ params, body }) =>
        directory.publish({ to: 'user', userId: params.user, room: body.room }, body.channel, content(body)),
    }),
    route({
      ...{ method: 'GET', path: '/rooms/{room}/history', id: 'readHistory', summary: 'Stored messages; reserved' },
      ...{ params: ofRoom, answer: undefined, errors: HISTORY },
      run: () => {
        throw noHistory()
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/rooms/{room}/history', id: 'clearHistory', summary: 'Forget them; reserved' },
      ...{ params: ofRoom, answer: undefined, errors: HISTORY },
      run: () => {
        throw noHistory()
      },
    }),
  ]
}
