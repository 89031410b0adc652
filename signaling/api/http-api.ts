import type { ApiKeys } from '../admin/api-keys.ts'
import type { BackendHistory } from '../history/backend-history.ts'
import { BodyError, type HttpRequest, type HttpResponse } from '../net/network.ts'
import type { Directory } from '../rooms/directory.ts'
import { COMMON_HEADERS } from '../static/security-headers.ts'
import { ApiError } from './api-error.ts'
import { type Answer, Idempotency } from './idempotency.ts'
import { openApi } from './openapi.ts'
import { apiRoutes, type Route } from './routes.ts'

export interface HttpApiParts {
  /** '' or '/party'. */
  readonly base: string
  readonly version: string
  readonly directory: Directory
  readonly history: BackendHistory
  readonly apiKeys: ApiKeys
  /** ms; may begin anywhere. */
  readonly nowMs: () => number
  /** Somebody came with a key that is none. */
  readonly wrongKey: (request: HttpRequest) => void
  /** A defect of ours; the client got a 500. */
  readonly onError: (error: unknown) => void
}

/** The largest message in base64, and room for the rest; JSON may be written with escapes. */
const BODY_BYTES = 262_144
const NOTHING = new Uint8Array()
const DOCUMENT = '/openapi.json'

const answer = (response: HttpResponse, { status, body }: Answer, headers: Record<string, string> = {}): void => {
  response.begin(status, {
    ...COMMON_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(`${JSON.stringify(body)}\n`)
}

interface Found {
  readonly routes: readonly Route[]
  readonly params: Readonly<Record<string, string>>
}

/** The HTTP API for backends, below `<base>/api/v1`. Everything is JSON, errors in one form. */
export class HttpApi {
  readonly #parts: HttpApiParts
  readonly #prefix: string
  readonly #routes: readonly (Route & { readonly segments: readonly string[] })[]
  readonly #idempotency: Idempotency
  readonly #document: object

  constructor(parts: HttpApiParts) {
    this.#parts = parts
    this.#prefix = `${parts.base}/api/v1`
    const routes = apiRoutes(parts.directory, parts.history)
    this.#routes = routes.map((route) => ({ ...route, segments: route.path.slice(1).split('/') }))
    this.#idempotency = new Idempotency(parts.nowMs)
    this.#document = openApi(routes, this.#prefix, parts.version)
  }

  /** Undefined when the request is for somebody else. */
  handle(request: HttpRequest, response: HttpResponse): Promise<void> | undefined {
    if (request.path !== this.#prefix && !request.path.startsWith(`${this.#prefix}/`)) return undefined
    return this.#answered(request, response)
  }

  async #answered(request: HttpRequest, response: HttpResponse): Promise<void> {
    try {
      await this.#run(request, response)
    } catch (error) {
      if (error instanceof BodyError && error.code === 'aborted') return
      const refused = asApiError(error)
      if (refused.code === 'internal') this.#parts.onError(error)
      answer(
        response,
        refused,
        refused.code === 'unauthorized' ? { 'www-authenticate': 'Bearer realm="partyline"' } : {},
      )
    }
  }

  async #run(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = request.path.slice(this.#prefix.length)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    // Nothing in it is secret, and tools fetch it without keys.
    if (path === DOCUMENT && method === 'GET') {
      answer(response, { status: 200, body: this.#document })
      return
    }
    this.#admit(request)
    const { routes, params } = this.#find(path)
    const route = routes.find((one) => one.method === method)
    if (route === undefined) {
      const allow = routes.map((one) => one.method).join(', ')
      answer(response, new ApiError('method-not-allowed', `only ${allow} are answered here`), { allow })
      return
    }
    if (route.body !== undefined) requireJson(request)
    const bytes = route.body === undefined ? NOTHING : await request.body(BODY_BYTES)
    const run = (): Answer | Promise<Answer> => {
      const asked = { params, query: queryOf(request.query), body: route.body && parsed(bytes) }
      const body = route.run(asked)
      return body instanceof Promise
        ? body.then((done: object) => ({ status: 200, body: done }))
        : { status: 200, body }
    }
    const key = method === 'GET' ? undefined : request.header('idempotency-key')
    if (key === undefined) answer(response, await run())
    else {
      const done = this.#idempotency.once(key, `${method} ${path}?${request.query}`, bytes, run)
      answer(response, await done.answer, done.again ? { 'idempotency-replayed': 'true' } : {})
    }
  }

  #admit(request: HttpRequest): void {
    const { apiKeys, wrongKey } = this.#parts
    if (!apiKeys.configured) {
      throw new ApiError('no-api-key', 'this server has no API key: start it with --api-key (openssl rand -hex 32)')
    }
    const authorization = request.header('authorization')
    if (apiKeys.accepts(authorization)) return
    if (authorization !== undefined) wrongKey(request)
    throw new ApiError('unauthorized', 'send an API key of this server: Authorization: Bearer KEY')
  }

  /** All routes of a path. @throws ApiError when there is none */
  #find(path: string): Found {
    const given = path.slice(1).split('/')
    const routes = this.#routes.filter(
      ({ segments }) =>
        segments.length === given.length &&
        segments.every((segment, index) => segment.startsWith('{') || segment === given[index]),
    )
    const [first] = routes
    if (first === undefined)
      throw new ApiError('no-such-route', `nothing is here; ${this.#prefix}${DOCUMENT} says what is`)
    const params: Record<string, string> = {}
    for (const [index, segment] of first.segments.entries()) {
      if (segment.startsWith('{')) params[segment.slice(1, -1)] = decoded(given[index] ?? '')
    }
    return { routes, params }
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ApiError('bad-request', 'the path is not percent-encoded UTF-8')
  }
}

function queryOf(query: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(query))
}

function requireJson(request: HttpRequest): void {
  const type = request.header('content-type') ?? ''
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new ApiError('unsupported-media-type', 'send JSON, and Content-Type: application/json', 'Content-Type')
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new ApiError('bad-request', 'the body is no JSON')
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof BodyError) return new ApiError('too-large', `the body has more than ${BODY_BYTES} bytes`)
  return new ApiError('internal', 'the server met a defect; its log says more')
}
