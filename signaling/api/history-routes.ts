/** What the API says of stored messages. */
import type { BackendHistory } from '../history/backend-history.ts'
import type { LogName, Page, StoredEntry } from '../history/store.ts'
import { decodeText } from '../protocol/bytes.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { CONTENT } from '../protocol/frame.ts'
import { BODY, decodePlainBody } from '../protocol/record.ts'
import { Refusal } from '../refusal.ts'
import { ApiError, type ApiErrorCode } from './api-error.ts'

/** Of bodies, in one answer. */
export const API_PAGE_BYTES = 1_048_576

const CODES: Partial<Record<ErrorCode, ApiErrorCode>> = {
  'not-kept': 'not-kept',
  'too-large': 'too-large',
  'history-full': 'history-unavailable',
  'mailboxes-full': 'history-unavailable',
  'store-failed': 'history-unavailable',
}

/** What the history refuses, as the API says it. */
export async function fromHistory<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const code = error instanceof Refusal ? CODES[error.code] : undefined
    throw code === undefined || !(error instanceof Refusal) ? error : new ApiError(code, error.message)
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** What can be read of a body, by its content; of a sealed one, nothing. */
function opened(body: Uint8Array): object {
  if (body[0] !== BODY.plain) return { sealed: base64(body) }
  try {
    const { content, sentAtMs, data } = decodePlainBody(body)
    if (content === CONTENT.binary) return { sentAtMs, base64: base64(data) }
    const text = decodeText(data)
    return content === CONTENT.text ? { sentAtMs, text } : { sentAtMs, data: JSON.parse(text) as unknown }
  } catch {
    // Its sender broke the rules; it is shown as it came.
    return { base64: base64(body) }
  }
}

const shown = ({ offset, id, channel, atMs, from, userId, profile, body }: StoredEntry): object => ({
  ...{ offset, id, channel, atMs },
  ...(from === undefined ? {} : { from }),
  ...(userId === undefined ? {} : { userId }),
  ...(profile === undefined ? {} : { profile }),
  ...opened(body),
})

export async function historyPage(
  history: BackendHistory,
  log: LogName,
  query: { readonly limit: number; readonly before?: number | undefined; readonly after?: number | undefined },
): Promise<object> {
  const page: Page = await fromHistory(history.read(log, { ...query, mostBytes: API_PAGE_BYTES }))
  const { epoch, first, next, more, entries } = page
  return { ...(epoch === undefined ? {} : { epoch }), first, next, more, entries: entries.map(shown) }
}
