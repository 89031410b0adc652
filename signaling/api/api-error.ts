/** Codes of what the API refuses. Stable: match on these, never on message text. */
export type ApiErrorCode =
  | 'bad-request'
  | 'unauthorized'
  | 'no-api-key'
  | 'no-such-route'
  | 'no-such-room'
  | 'no-such-member'
  | 'method-not-allowed'
  | 'too-large'
  | 'unsupported-media-type'
  | 'idempotency-key-reused'
  | 'internal'
  | 'not-kept'
  | 'history-unavailable'

const STATUS: Readonly<Record<ApiErrorCode, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  'no-api-key': 403,
  'no-such-route': 404,
  'no-such-room': 404,
  'no-such-member': 404,
  'method-not-allowed': 405,
  'too-large': 413,
  'unsupported-media-type': 415,
  'idempotency-key-reused': 422,
  internal: 500,
  'not-kept': 404,
  'history-unavailable': 503,
}

export const API_ERROR_CODES = Object.keys(STATUS) as readonly ApiErrorCode[]
export const statusOf = (code: ApiErrorCode): number => STATUS[code]

/** A request that is not granted. The message says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    readonly code: ApiErrorCode,
    message: string,
    /** The part of the request that is wrong, such as `channel`. */
    readonly field?: string,
  ) {
    super(message)
  }

  get status(): number {
    return STATUS[this.code]
  }

  /** The one form of all errors. */
  get body(): { readonly error: { readonly code: ApiErrorCode; readonly message: string; readonly field?: string } } {
    const { code, message, field } = this
    return { error: { code, message, ...(field === undefined ? {} : { field }) } }
  }
}
