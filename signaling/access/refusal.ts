import { CLOSE } from '../protocol/errors.ts'
import { Refusal } from '../refusal.ts'
import { AccessError } from './access-error.ts'

/** What to tell a client whose access token is not honoured. Other errors are handed back as they are. */
export function accessRefusal(error: unknown, fatal: boolean, retryAfterMs: number): unknown {
  if (!(error instanceof AccessError)) return error
  const { code, message } = error
  if (code === 'unavailable') return new Refusal('internal', message, fatal ? CLOSE.internal : undefined, retryAfterMs)
  return new Refusal(code, message, fatal ? (code === 'denied' ? CLOSE.refused : CLOSE.accessExpired) : undefined)
}
