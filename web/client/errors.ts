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
