import { PartylineError, type PartylineErrorCode } from '../errors.ts'

const TEXTS = {
  denied: 'The access token does not allow this',
  'too-large': 'The server keeps nothing so large',
  'not-kept': 'The server keeps nothing of this room, or of this channel',
  'history-full': 'The server keeps all that it may',
  'mailboxes-full':
    'The room has all the mailboxes it may: send to users who have one, or try again when old mail has expired',
  'rate-limited': 'Too much at once, or too many new mailboxes: send it again in a minute',
  'store-failed': 'The server could not write or read what it keeps',
  forgotten: 'The server has forgotten this',
  'needs-secret': "Who comes later could not read it: the room needs a secret, a password, or sealing: 'open'",
  closed: 'The room is closed',
  timeout: 'The server has not answered for too long',
} as const satisfies Partial<Record<PartylineErrorCode, string>>

/** Of a code of ours, or one of the server's that we may not know. */
export const storeError = (code: string, message?: string): PartylineError =>
  code in TEXTS
    ? new PartylineError(code as keyof typeof TEXTS, message || TEXTS[code as keyof typeof TEXTS])
    : new PartylineError('internal', message ?? code)
