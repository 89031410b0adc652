import { createHmac, timingSafeEqual } from 'node:crypto'

/** `partyline-signature` of a webhook. */
export const SIGNATURE_HEADER = 'partyline-signature'
const HEX_SHA256 = /^[0-9a-f]{64}$/

const mac = (secret: string, seconds: number, body: string): Buffer =>
  createHmac('sha256', secret).update(`${seconds}.${body}`).digest()

/** `t=SECONDS,v1=HEX`, with one `v1` for each secret: HMAC-SHA256 of the seconds, a dot, and the body. */
export function signature(secrets: readonly string[], atMs: number, body: string): string {
  const seconds = Math.floor(atMs / 1_000)
  return [`t=${seconds}`, ...secrets.map((secret) => `v1=${mac(secret, seconds, body).toString('hex')}`)].join(',')
}

/** Older signatures are somebody's who has overheard one. */
const OLDEST_MS = 300_000

/**
 * Whether a webhook comes from a server with this secret, and not more than `oldestMs` (default 5 minutes) ago.
 * `body` is the body as it came, before it is parsed; `header` is `partyline-signature`. The time taken tells nothing.
 */
export function verifyWebhook(
  body: string,
  header: string | undefined,
  secret: string,
  { nowMs = Date.now(), oldestMs = OLDEST_MS }: { readonly nowMs?: number; readonly oldestMs?: number } = {},
): boolean {
  const [time = '', ...signatures] = (header ?? '').split(',')
  const seconds = Number(/^t=(\d{1,12})$/.exec(time)?.[1] ?? Number.NaN)
  if (!(Math.abs(nowMs - seconds * 1_000) <= oldestMs)) return false
  const expected = mac(secret, seconds, body)
  let good = false
  for (const one of signatures) {
    const hex = one.startsWith('v1=') ? one.slice(3) : ''
    if (HEX_SHA256.test(hex)) good = timingSafeEqual(Buffer.from(hex, 'hex'), expected) || good
  }
  return good
}
