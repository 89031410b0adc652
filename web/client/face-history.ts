/** The client's face, as far as it is about what the server keeps of a room. */
import type { Json } from '../../signaling/protocol/index.ts'
import type { Message } from './face-channels.ts'

/** A place in what is kept of a room. It is JSON: keep it, and go on from it after a reload. */
export interface HistoryCursor {
  /** Another one when the log was begun anew, and earlier offsets mean nothing any more. */
  readonly epoch: string
  /** From 1, one by one. */
  readonly offset: number
}

/** What the server says that it keeps of a room. */
export interface KeptRoom {
  /** Names of channels; `*` stands for any characters. */
  readonly channels: readonly string[]
  /** The most messages, and for how long, ms. */
  readonly messages: number
  readonly ageMs: number
  /** The most messages for a user who is away; absent: none. */
  readonly mail?: number
}

/** What of the history comes to the channels' listeners, before what is live; see `JoinOptions.history`. */
export interface HistoryOptions {
  /** So many of the last messages, 0 to 1,000. Default 0: those from now on alone, should they not come live. */
  readonly last?: number
  /**
   * All that was stored after this, an earlier `room.cursor`, in the place of `last`; where the log was begun anew, the
   * `last` (256 without), and the event `forgotten`.
   */
  readonly since?: HistoryCursor | null | undefined
}

/** Of a message that came from the history: its place there, and what the server says of it. */
export interface StoredAt extends HistoryCursor {
  /** When it was stored, ms since 1970 on the server's clock. */
  readonly atMs: number
  /** Of the sender then, as of `Peer`: the server's word. `undefined` when it had none. */
  readonly userId: string | undefined
  readonly profile: Json | undefined
  /** From this user's mailbox; else from the room's log. */
  readonly mail: boolean
}

export interface StoredMessage extends Message<unknown> {
  /** The channel's name. */
  readonly channel: string
  readonly stored: StoredAt
}

export interface HistoryQuery {
  /** The last ones before this place. Default: the last of all. */
  readonly before?: HistoryCursor
  /** 0 to 256; there may be fewer when they are long. Default 50. */
  readonly limit?: number
  /** Of this user's mailbox in this room. Default false: of the room's log. */
  readonly mail?: boolean
}

export interface HistoryPage {
  /** The oldest first. What cannot be opened is left out, and told by the event `refused`. */
  readonly messages: readonly StoredMessage[]
  /** Where to go on backwards: `before` of the next query. `undefined`: there is nothing before. */
  readonly before: HistoryCursor | undefined
  /** The newest there is; `undefined`: nothing was ever stored. */
  readonly newest: HistoryCursor | undefined
  /** How far this user has read, and how many messages of others come after it (at most 1,000). Without a `userId`: 0. */
  readonly position: number
  readonly unread: number
}

/** Somebody has read further: this user, at another device, or another one who shares it. */
export interface ReadNotice extends HistoryCursor {
  readonly userId: string
  readonly mail: boolean
}
