import type { RequestHead } from './network.ts'

/** An origin, `https://*.example.org`, `null` (sandboxed frames, files), or `*` for every origin. */
const ORIGIN_PATTERN = /^(?:\*|null|https?:\/\/(?:\*\.)?[^/\s*?#@]+)$/

export const isOriginPattern = (text: string): boolean => ORIGIN_PATTERN.test(text)

const LOCAL_HOST = /^(?:localhost|[^/]+\.localhost|127(?:\.\d+){3}|\[::1\])$/

function matches(origin: string, pattern: string): boolean {
  if (pattern === '*') return true
  const star = pattern.indexOf('*.')
  if (star < 0) return origin.toLowerCase() === pattern.toLowerCase().replace(/\/$/, '')
  const scheme = pattern.slice(0, star).toLowerCase()
  const domain = pattern.slice(star + 1).toLowerCase()
  const text = origin.toLowerCase()
  return text.startsWith(scheme) && text.endsWith(domain) && text.length > scheme.length + domain.length
}

function originHost(origin: string): { readonly host: string; readonly hostname: string } | undefined {
  try {
    const url = new URL(origin)
    return { host: url.host, hostname: url.hostname }
  } catch {
    return undefined
  }
}

/** Default ports are left out by browsers in `Origin` but may stand in `Host`. */
const withoutDefaultPort = (host: string): string => host.toLowerCase().replace(/:(?:80|443)$/, '')

/** Undefined when a page of this origin may connect; else what to tell whoever runs the server. */
export type OriginCheck = (request: RequestHead) => string | undefined

/**
 * The server's own origin and localhost may always connect, others when listed. A request without an Origin is no
 * browser's, so the check would protect nobody. The scheme is not compared with our own: behind a TLS proxy we do not
 * know it.
 */
export function originCheck(allowed: readonly string[], isProxy: (socketAddress: string) => boolean): OriginCheck {
  return (request) => {
    const origin = request.header('origin')
    if (origin === undefined) return undefined
    if (allowed.some((pattern) => matches(origin, pattern))) return undefined
    const page = originHost(origin)
    if (page !== undefined) {
      if (LOCAL_HOST.test(page.hostname)) return undefined
      const own = [request.header('host')]
      if (isProxy(request.socketAddress)) own.push(request.header('x-forwarded-host')?.split(',')[0]?.trim())
      if (own.some((host) => host !== undefined && withoutDefaultPort(host) === withoutDefaultPort(page.host))) {
        return undefined
      }
    }
    const shown = origin.slice(0, 200)
    return `Pages of ${shown} may not connect to this server. To allow them, start it with --origins ${shown} (or PARTYLINE_ORIGINS=${shown}).`
  }
}
