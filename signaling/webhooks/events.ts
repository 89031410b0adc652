import type { LeaveReason } from '../protocol/control.ts'
import type { Json } from '../protocol/guards.ts'
import type { PeerId } from '../protocol/ids.ts'

/** What a backend can be told of. */
export const WEBHOOK_EVENTS = [
  'room.created',
  'room.emptied',
  'member.joined',
  'member.left',
  'message.stored',
] as const
export type WebhookEventType = (typeof WEBHOOK_EVENTS)[number]

/** A member as a backend is told of it. */
export interface WebhookMember {
  readonly id: PeerId
  readonly userId?: string
  readonly profile: Json
}

/** A message that is in a room's log, or in a mailbox; its body is to be had by the API. */
export interface WebhookMessage {
  readonly epoch: string
  readonly offset: number
  readonly id: string
  readonly channel: string
  /** Whose mailbox. */
  readonly to?: string
  /** The member that sent it; absent: a backend. */
  readonly from?: PeerId
  readonly userId?: string
}

export type Occurrence =
  | { readonly type: 'room.created' | 'room.emptied'; readonly room: string }
  /** `resumed`: it was in the room before this server was started. */
  | { readonly type: 'member.joined'; readonly room: string; readonly member: WebhookMember; readonly resumed: boolean }
  | {
      readonly type: 'member.left'
      readonly room: string
      readonly member: WebhookMember
      readonly reason: LeaveReason
    }
  | { readonly type: 'message.stored'; readonly room: string; readonly message: WebhookMessage }

/** One event as it is sent. */
export type WebhookEvent = Occurrence & {
  /** Of its own: a batch that is sent again brings the same. */
  readonly id: string
  /** ms since 1970. */
  readonly atMs: number
}
