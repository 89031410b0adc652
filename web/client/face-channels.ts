/** The client's face, as far as it is about channels of all kinds: what is sent and heard on them. */
import type { Json, PeerId } from '../../signaling/protocol/index.ts'
import type { MissedReason } from './delivery/outgoing-stream.ts'
import type { HistoryCursor, StoredAt } from './face-history.ts'

export type { MissedReason }

/** What a reliable or `latest` channel, or a procedure, can carry: JSON, text, or bytes. */
export type Payload = Json | Uint8Array | object
export type Unsubscribe = () => void

export interface Message<T> {
  /** The same at sender and receivers. */
  readonly id: string
  /** A member; or `'server'`, which is no member's id, for what a backend published: no member can send such. */
  readonly from: PeerId
  readonly data: T
  /** When it was sent, on the room clock, ms since 1970. */
  readonly sentAtMs: number
  /** Sent to this member alone, or to a list it is on. */
  readonly direct: boolean
  /** It came from the history, and this is its place there. Absent: it came live. */
  readonly stored?: StoredAt
}

export interface Sent {
  /**
   * The same at sender and receivers. Who looks at it before `ready` in a sealed room may do so before there are keys: then
   * others can take this visit's name in ids (its instance) as well, and a newcomer may be shown them first.
   */
  readonly id: string
  /**
   * In the window: kept until every receiver has it, or is gone. Await it between sends: that is back-pressure.
   * Rejects with `aborted`, `closed`, or, on a signed channel, `unsupported`: it could not be signed, for code of ours
   * could not be loaded (never unhandled).
   */
  readonly accepted: Promise<void>
  /**
   * Always resolves, when each receiver's library has handed the message to its application or cannot any more.
   * `to`: whom it was addressed to. That is, of a message to the room, those who were here when it was accepted; nobody,
   * if it never was. `missed`: who did not get it, as far as can be known here, and why.
   */
  readonly delivered: Promise<{ readonly to: readonly PeerId[]; readonly missed: ReadonlyMap<PeerId, MissedReason> }>
}

/** `stored` never rejects unhandled; see `SendOptions.store`. */
export interface StoredSent extends Sent {
  /** Its place in the history: written, and flushed where the server keeps a file. */
  readonly stored: Promise<HistoryCursor>
}

export interface MailedSent extends Sent {
  /** It is in the mailbox: written, and flushed where the server keeps a file. */
  readonly stored: Promise<void>
}

export interface SendOptions {
  /** One member, or several; absent: everyone here now. */
  readonly to?: PeerId | readonly PeerId[]
  /**
   * The server is to keep it, for those who come later: to the room only, at most 60 kB. `stored` rejects with
   * `bad-argument` (with `to`, or on a signed channel), `needs-secret` in a room that is merely sealed, `not-kept`, `denied`, `too-large`, `history-full`, `mailboxes-full`, `store-failed`,
   * `rate-limited`, `queue-full`, `forgotten`, `timeout` (12 h without an answer), `unsupported` (its code could not be
   * loaded), `aborted` or `closed`. Not on signed channels. Default false.
   */
  readonly store?: boolean
  /**
   * To a user, by `userId`, in the place of `to`: to its members here now, and to its mailbox, in which it finds the
   * message when it comes. `stored` rejects as with `store`.
   */
  readonly user?: string
  /** Gives up what is not accepted yet; of a list, those for whom it is accepted still get it. */
  readonly signal?: AbortSignal
}

export interface ChannelOptions {
  /**
   * Messages to the room are signed, and checked: without, a member can forge them in another's name if the server helps
   * it. Every member has to say so: what is not signed is refused, `unsigned`. For sealed rooms; costs 65 bytes and some
   * 0.1 ms a message. There `signal` gives up nothing to the room once `send` has returned, and what a backend
   * publishes is refused, too. Default false.
   */
  readonly signed?: boolean
}

/**
 * Reliable: each message reaches every member it was addressed to once, in the order sent.
 * Messages wait, bounded, until the first listener is there.
 */
export interface Channel<T extends Payload = Json> extends AsyncIterable<Message<T>> {
  readonly name: string
  /**
   * At most 8 MiB (65 bytes less when signed); larger things are files: `offer` them. Before `ready` it waits, and goes to those who are here then.
   * @throws PartylineError `queue-full`, `too-large`, `closed`, `bad-argument`, `aborted` (the signal has fired already),
   * `denied` (the access token does not allow it)
   */
  send(data: T, options: SendOptions & { readonly store: true }): StoredSent
  send(data: T, options: SendOptions & { readonly user: string }): MailedSent
  send(data: T, options?: SendOptions): Sent
  /** `message`: called for each, in order. `offer`: somebody offers a file here. */
  on(name: 'message', handler: (message: Message<T>) => void): Unsubscribe
  on(name: 'offer', handler: (offer: FileOffer) => void): Unsubscribe
  /**
   * Offer a file or other bytes; they move only to those who accept. At most 256 offers at a time that neither are
   * withdrawn nor have ended with everyone addressed.
   * @throws PartylineError `bad-argument`, `too-large`, `queue-full`, `aborted`, `closed`
   */
  offer(data: Blob, options?: OfferOptions): OutgoingOffer
  /** A reader that is slower than the senders holds them back; it is never dropped from. Ends with the room. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<T>>
}

export interface OfferOptions {
  readonly to?: PeerId | readonly PeerId[]
  /** At most 1,024 bytes. Default: the file's own name, or `file`. */
  readonly name?: string
  /** JSON for the receivers, at most 4 KiB. Default `null`. */
  readonly meta?: Json
  readonly onProgress?: (progress: TransferProgress) => void
  /** Withdraws the offer and stops transfers. */
  readonly signal?: AbortSignal
}

export interface TransferProgress {
  readonly peer: PeerId
  /** Bytes that the receiver's reader has taken. */
  readonly bytes: number
  readonly totalBytes: number
}

export interface OutgoingOffer {
  readonly id: string
  /** Who has accepted or declined, and how far that is. */
  readonly transfers: ReadonlyMap<PeerId, 'running' | 'done' | 'failed' | 'declined'>
  /** Nobody may accept from now on; running transfers end. Does nothing once everybody has ended. */
  withdraw(): void
}

export interface FileOffer {
  readonly id: string
  readonly from: PeerId
  readonly name: string
  /** MIME type, may be empty; given by the sender: do not trust it. */
  readonly type: string
  readonly sizeBytes: number
  readonly meta: Json
  readonly sentAtMs: number
  /**
   * Fires when it is over without success: withdrawn, declined, its sender gone, the room over, or its transfer failed or
   * was given up. `reason` is the `PartylineError`.
   */
  readonly withdrawn: AbortSignal
  /**
   * Start the transfer; once. Reading slowly holds the sender back; cancelling the stream, or the signal, ends it. The
   * stream errors with `left`, `withdrawn` (also: the sender cannot read the file, or we were cut off), `aborted`,
   * `closed` or `protocol`.
   * @throws PartylineError `bad-argument` when accepted before, `declined` after `decline()`
   */
  accept(options?: {
    readonly onProgress?: (progress: TransferProgress) => void
    readonly signal?: AbortSignal
  }): ReadableStream<Uint8Array>
  /** Not wanted: the sender is told. Does nothing once accepted. */
  decline(): void
}

/** Newest value wins per (sender, key): never blocks, may skip, never goes back. For positions, cursors, typing. */
export interface Latest<T extends Payload = Json> {
  readonly name: string
  /**
   * At most 16 KiB a value, and 1,024 keys over all `latest` channels of the room. Newcomers get what was set for all.
   * @throws PartylineError `too-large`, `bad-argument`, `closed`
   */
  set(value: T, options?: { readonly key?: string; readonly to?: PeerId | readonly PeerId[] }): void
  /** `value`: called with each newer value. The first handler also gets the newest of those that came before it. */
  on(name: 'value', handler: (value: LatestValue<T>) => void): Unsubscribe
  /** The newest value of each (peer, key) seen, while the peer is in the room. */
  get(peer: PeerId, key?: string): T | undefined
}

export interface LatestValue<T> {
  readonly from: PeerId
  readonly key: string
  readonly value: T
  readonly sentAtMs: number
}

/**
 * May return or resolve; what it throws reaches the asker as `handler-failed` with the message. `signal` fires when the
 * asker gives up or leaves, and when the room is over.
 */
export type ProcedureHandler<Q, A> = (
  question: Q,
  context: { readonly from: PeerId; readonly signal: AbortSignal },
) => A | Promise<A>
/**
 * Ask one member. `timeoutMs`: 1 to 2³¹ − 1, default 30,000. Rejects (never unhandled) with `timeout`, `left`,
 * `no-handler`, `handler-failed`, `aborted`, `closed`, `queue-full` (1,024 asks wait for answers here, or there from us,
 * or too much waits to be sent), `bad-argument`, `too-large`, or `protocol` when the answer cannot be read.
 */
export type Procedure<Q, A> = (
  peer: PeerId,
  question: Q,
  options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
) => Promise<A>
