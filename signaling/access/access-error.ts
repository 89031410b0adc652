/** Why an access token is not honoured. */
export type AccessErrorCode =
  /** There is none, it is not good, or not good for this. */
  | 'denied'
  /** It was good, and has run out. */
  | 'access-expired'
  /** Nobody can tell now: the keys cannot be had. */
  | 'unavailable'

/** The message goes to the client: it says what is wrong with the token, and nothing of the server's keys. */
export class AccessError extends Error {
  override readonly name = 'AccessError'

  constructor(
    readonly code: AccessErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
