import type { Headers } from '../net/network.ts'

/**
 * Scripts and styles come from this server only, none stand in the pages themselves. These pages talk to their own server
 * only, by whichever carrier; `connect-src` leaves WebSockets open because older Safari does not count `wss:` as 'self'.
 * `blob:` is for files and images that members send each other.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ')

/** On every answer. */
export const COMMON_HEADERS: Headers = Object.freeze({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
})

/** On pages besides. */
export const PAGE_HEADERS: Headers = Object.freeze({
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
})
