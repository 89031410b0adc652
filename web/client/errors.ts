/** Codes of `PartylineError`. Stable: match on these, never on message text. */
export type PartylineErrorCode =
  /** An argument or option is wrong; the message names it and the accepted range. */
  | 'bad-argument'
  /** The application's `AbortSignal` fired. */
  | 'aborted'
  /** The room was left or closed. */
  | 'closed'
  /** Access refused by the server's rules. */
  | 'denied'
  /** The access token has run out, and there is no function that gives another. */
  | 'access-expired'
  | 'room-full'
  | 'server-full'
  /** Server and client have no protocol version in common: reload the page or update the package. */
  | 'version-unsupported'
  /** The same session was taken over by a newer connection. */
  | 'replaced'
  /** Removed from the room. */
  | 'removed'
  /** What waits before the window is at its bound: wait for `accepted` between sends. */
  | 'queue-full'
  /** Larger than the limit, which the message names. */
  | 'too-large'
  /** The other member is not, or no longer, in the room. */
  | 'left'
  /** A `procedure` has no handler at the other side. */
  | 'no-handler'
  /** The handler of a `procedure` threw; the message is the handler's. */
  | 'handler-failed'
  /** No answer in time. */
  | 'timeout'
  /** An offered file was declined or withdrawn. */
  | 'declined'
  | 'withdrawn'
  /** The other side did not follow the protocol. */
  | 'protocol'
  /** This browser or Node lacks something; the message says what to do. */
  | 'unsupported'
  /**
   * This page has no WebCrypto: open it by https, or on localhost; or give up sealing with `sealing: 'open'`, as every
   * member must then.
   */
  | 'insecure-context'
  /** The others have another secret or password. Of one member: it is the one. */
  | 'wrong-secret'
  /** A member was refused: it announces no keys, or those of another mode of sealing. */
  | 'seal-mismatch'
  /** The server showed other keys of a member than before; the first ones count. */
  | 'seal-changed'
  /** A member was refused: it does not hold the identity that it shows. */
  | 'identity-invalid'
  /** A member was refused by `admit`. */
  | 'not-admitted'
  /** Something was refused: it came by the server, and is not sealed, */
  | 'unsealed'
  /** or does not open: altered, or from somebody else; */
  | 'forged'
  /** or came again; */
  | 'replayed'
  /** or was for a channel that is `signed` here, and is not signed. */
  | 'unsigned'
  /** The server shows another profile than the member says it has. */
  | 'profile-altered'
  /** More was sealed than the keys of one room are good for: enter it again. */
  | 'sealing-exhausted'
  /** The server keeps nothing of this room, or of this channel. */
  | 'not-kept'
  /** The server keeps all that it may. */
  | 'history-full'
  /** The room has all the mailboxes it may: those that are there still take mail. */
  | 'mailboxes-full'
  /** The server could not write, or read, what it keeps. */
  | 'store-failed'
  /** More at once than the server takes, or too many new mailboxes in an hour. */
  | 'rate-limited'
  /** What is asked for, or repeated, is not kept any more. */
  | 'forgotten'
  /** Who comes later could not read it: give the room a secret or a password, or enter with `sealing: 'open'`. */
  | 'needs-secret'
  | 'internal'

/** Every error that Partyline throws or rejects with. */
export class PartylineError extends Error {
  override readonly name = 'PartylineError'
  /** The room cannot go on after this. */
  readonly fatal: boolean
  /** When trying again makes sense, ms from now. */
  readonly retryAfterMs: number | undefined

  constructor(
    readonly code: PartylineErrorCode,
    message: string,
    options: { readonly fatal?: boolean; readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.fatal = options.fatal ?? false
    this.retryAfterMs = options.retryAfterMs
  }
}
