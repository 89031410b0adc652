import type { HttpHandler, HttpResponse } from '../net/network.ts'
import { COMMON_HEADERS } from './security-headers.ts'
import { StaticFiles } from './static-files.ts'

export interface SiteOptions {
  /** '' or '/party': without a slash at its end. */
  readonly base: string
  readonly pagesFolder: string
  readonly clientFolder: string
  /** What `GET /healthz` says: 200 when true. */
  readonly health: () => { readonly ok: boolean; readonly body: object }
}

/** The client library may be imported by pages of any origin; whether those may connect is another question. */
const SHARED_HEADERS = Object.freeze({
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
})

export function answerText(
  response: HttpResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.begin(status, {
    ...COMMON_HEADERS,
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(`${text}\n`)
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

export interface Site {
  readonly handle: HttpHandler
  /** False when there are no pages to serve. */
  readonly hasPages: boolean
}

/**
 * Everything that is served over HTTP: `/healthz`, the client library below `/client/`, and the pages. The page in
 * `chat/index.html` is at `/chat/`, and `/chat` leads there, because the addresses in pages are relative.
 */
export function createSite({ base, pagesFolder, clientFolder, health }: SiteOptions): Site {
  const pages = new StaticFiles(pagesFolder)
  const client = new StaticFiles(clientFolder, SHARED_HEADERS)
  const hasPages = pages.has('index.html')

  const handle: HttpHandler = (request, response) => {
    const { method, path, query } = request
    const redirect = (to: string): void => {
      const location = query === '' ? to : `${to}?${query}`
      answerText(response, 308, `See ${location}`, { location })
    }
    if (method !== 'GET' && method !== 'HEAD') {
      answerText(response, 405, 'Only GET and HEAD are answered here.', { allow: 'GET, HEAD' })
      return
    }
    if (path === base && base !== '') {
      redirect(`${base}/`)
      return
    }
    const name = path.startsWith(`${base}/`) ? decoded(path.slice(base.length + 1)) : undefined
    if (name === 'healthz') {
      const { ok, body } = health()
      response.begin(ok ? 200 : 503, {
        ...COMMON_HEADERS,
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
      })
      response.end(`${JSON.stringify(body)}\n`)
    } else if (name === 'ws') {
      answerText(response, 426, 'This is where WebSockets connect.', { upgrade: 'websocket' })
    } else if (name?.startsWith('client/') && client.has(name.slice(7))) {
      client.serve(name.slice(7), request, response)
    } else if (name !== undefined && pages.has(name) && name !== '') {
      pages.serve(name, request, response)
    } else if (name !== undefined && (name === '' || name.endsWith('/')) && pages.has(`${name}index.html`)) {
      pages.serve(`${name}index.html`, request, response)
    } else if (name !== undefined && pages.has(`${name}/index.html`)) {
      redirect(`${base}/${encodeURI(name)}/`)
    } else if (name === '' && !hasPages) {
      answerText(response, 503, 'The server runs, but its pages are not built. Build them with: npm run build')
    } else {
      answerText(response, 404, `Nothing is here. ${hasPages ? `The pages begin at ${base}/` : ''}`.trim())
    }
  }
  return { handle, hasPages }
}
