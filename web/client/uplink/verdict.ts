import { CLOSE, type ErrorCode } from '../../../signaling/protocol/index.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'

/** What the end of a carrier, or a refused join, means for the session. */
export type Verdict =
  /** Come back with the token, after a pause. */
  | { readonly kind: 'retry' }
  /** The session is over: come back at once, as a new member. */
  | { readonly kind: 'rejoin' }
  /** The room is over. */
  | { readonly kind: 'end'; readonly error: PartylineError }

export interface ServerError {
  readonly code: ErrorCode
  readonly message: string
  readonly retryAfterMs?: number
}

const RETRY: Verdict = { kind: 'retry' }
const REJOIN: Verdict = { kind: 'rejoin' }
const end = (code: PartylineErrorCode, message: string, retryAfterMs?: number): Verdict => ({
  kind: 'end',
  error: new PartylineError(code, message, { fatal: true, retryAfterMs }),
})

/** By close code; unknown codes, and those of the network, are worth another try. */
export function verdictOfClose(code: number, reason: string): Verdict {
  switch (code) {
    case CLOSE.badMessage:
      return end('protocol', `the server could not read what this client said: ${reason}`)
    case CLOSE.replaced:
      return end('replaced', 'a newer connection took this session over')
    case CLOSE.refused:
      return end('denied', reason || 'the server refused this member')
    case CLOSE.removed:
      return end('removed', reason || 'removed from the room')
    case CLOSE.accessExpired:
      return end('access-expired', reason)
    case CLOSE.sessionEnded:
      return REJOIN
    default:
      return RETRY
  }
}

const ERROR_CODES: Partial<Record<ErrorCode, PartylineErrorCode>> = {
  denied: 'denied',
  'access-expired': 'access-expired',
  'version-unsupported': 'version-unsupported',
  'room-full': 'room-full',
  'server-full': 'server-full',
  'too-large': 'too-large',
  'bad-message': 'protocol',
}

/** The answer `error` to a request, as what its promise rejects with. */
export const requestError = ({ code, message, retryAfterMs }: ServerError): PartylineError =>
  new PartylineError(ERROR_CODES[code] ?? 'internal', message, { retryAfterMs })

/**
 * By the code of a fatal error, or of one that answers a join. A full room ends only a join that never succeeded: a
 * member who was in, and lost its place while the server restarted, keeps asking for it.
 */
export function verdictOfError({ code, message, retryAfterMs }: ServerError, welcomedBefore: boolean): Verdict {
  switch (code) {
    case 'denied':
    case 'access-expired':
    case 'version-unsupported':
    case 'bad-message':
    // Only a join is too large in a way that another try does not mend: its profile.
    case 'too-large':
      return end(ERROR_CODES[code] ?? 'denied', message)
    case 'room-full':
    case 'server-full':
      return welcomedBefore ? RETRY : end(code, message, retryAfterMs)
    case 'token-invalid':
    case 'session-ended':
      return REJOIN
    default:
      return RETRY
  }
}
