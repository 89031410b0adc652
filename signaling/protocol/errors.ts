/** Codes of `error` messages from the server. Stable: match on these, never on message text. */
export type ErrorCode =
  /** The message was malformed; the text names the field. Fatal. */
  | 'bad-message'
  /** No common protocol version. Fatal. */
  | 'version-unsupported'
  /** Something other than `join` came first, or a second `join` on one uplink. Fatal. */
  | 'not-joined'
  | 'already-joined'
  /** The session token is not ours, is altered, or is of another room or instance. Join again without it. */
  | 'token-invalid'
  /** The session token ran out, or its member has left or was removed: join again as a new member. */
  | 'session-ended'
  /** The room, or the server, takes no more. Retry later. */
  | 'room-full'
  | 'server-full'
  /** Too many connections, members or joins from one address. Retry later. */
  | 'too-many-connections'
  /** Larger than the limit told in the welcome. Fatal, except for the profile in a `profile` request. */
  | 'too-large'
  /** Faster than the limits told in the welcome, for longer than the server holds back. */
  | 'rate-limited'
  /** The access token does not allow it, or there is none where one is asked for. */
  | 'denied'
  /** The access token has run out: come back with another. */
  | 'access-expired'
  /** Nothing of this room is kept, or not of this channel. */
  | 'not-kept'
  /** The server keeps all that it may. */
  | 'history-full'
  /** The room has all the mailboxes it may, and none has expired. */
  | 'mailboxes-full'
  /** The server could not write, or read, what it keeps. */
  | 'store-failed'
  /** A repeated record was refused before, or is not kept any more. */
  | 'forgotten'
  /** The server is going away; reconnect after `retryAfterMs`. */
  | 'going-away'
  | 'internal'

/** How the server closes an uplink. WebSocket close codes; other carriers send the same number in a `bye`. */
export const CLOSE = Object.freeze({
  /** The member left. */
  normal: 1000,
  /** The server shuts down: reconnect. */
  goingAway: 1001,
  /** An internal error: reconnect with back-off. */
  internal: 1011,
  /** The server restarts: reconnect at once. */
  restart: 1012,
  /** Try again later: rate or capacity. */
  tryLater: 1013,
  /** The first message did not come in time, or the uplink fell silent. Reconnect. */
  timeout: 4000,
  /** A malformed message. Do not reconnect with the same client. */
  badMessage: 4001,
  /** A newer uplink of the same session replaced this one. Do not reconnect. */
  replaced: 4002,
  /** Refused for good: `denied`, `version-unsupported`, a `join` with too large a profile. Do not reconnect. */
  refused: 4003,
  /** Nothing drained for 10 s. Reconnect and resume. */
  slowReader: 4004,
  /** Removed from the room. Do not reconnect. */
  removed: 4005,
  /** Over the rate for too long. Reconnect after `retryAfterMs`. */
  rateLimited: 4006,
  /** The session named in `join` is over: join again as a new member. */
  sessionEnded: 4007,
  /** The access token has run out. Come back with another. */
  accessExpired: 4008,
} as const)

/** Bytes or JSON that do not follow PROTOCOL.md. `field` names where. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(`${field}: ${message}`)
  }
}
