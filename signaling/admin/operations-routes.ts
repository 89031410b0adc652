import type { Exposition } from '../metrics/exposition.ts'
import type { Recorder } from '../metrics/recorder.ts'
import type { Readiness, Snapshot } from '../metrics/snapshot.ts'
import type { HttpRequest, HttpResponse } from '../net/network.ts'
import { COMMON_HEADERS } from '../static/security-headers.ts'
import { answerText } from '../static/site.ts'
import type { ApiKeys } from './api-keys.ts'
import { isFromThisMachine } from './this-machine.ts'

export interface OperationsRoutesParts {
  /** '' or '/party': without a slash at its end. */
  readonly base: string
  readonly apiKeys: ApiKeys
  readonly metricsFor: () => 'key' | 'open' | 'off'
  readonly readiness: () => Readiness
  readonly snapshot: () => Snapshot
  readonly exposition: Exposition
  readonly recorder: Recorder
  /** Somebody came with a key that is none. */
  readonly wrongKey: (request: HttpRequest) => void
}

const NO_KEY =
  'This server has no API key. Start it with --api-key, or PARTYLINE_API_KEY (openssl rand -hex 32 makes one).'

function answerJson(response: HttpResponse, status: number, body: object): void {
  response.begin(status, {
    ...COMMON_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(`${JSON.stringify(body)}\n`)
}

/** `/readyz`, `/metrics`, and what the admin page shows. */
export class OperationsRoutes {
  readonly #parts: OperationsRoutesParts
  readonly #routes: ReadonlyMap<string, (request: HttpRequest, response: HttpResponse) => void | Promise<void>>

  constructor(parts: OperationsRoutesParts) {
    this.#parts = parts
    this.#routes = new Map([
      [`${parts.base}/readyz`, (_, response) => this.#ready(response)],
      [`${parts.base}/metrics`, (request, response) => this.#metrics(request, response)],
      [`${parts.base}/admin/data`, (request, response) => this.#data(request, response)],
    ])
  }

  /** Undefined when the request is for somebody else; else when it is answered. */
  handle(request: HttpRequest, response: HttpResponse): Promise<void> | undefined {
    const route = this.#routes.get(request.path)
    if (route === undefined) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answerText(response, 405, 'Only GET and HEAD are answered here.', { allow: 'GET, HEAD' })
      return Promise.resolve()
    }
    return Promise.resolve(route(request, response))
  }

  #ready(response: HttpResponse): void {
    const status = this.#parts.readiness()
    answerJson(response, status === 'ready' ? 200 : 503, { status })
  }

  async #metrics(request: HttpRequest, response: HttpResponse): Promise<void> {
    const { metricsFor, exposition, snapshot } = this.#parts
    const access = metricsFor()
    if (access === 'off') {
      answerText(response, 404, 'Metrics are off here.')
      return
    }
    if (access === 'key' && !isFromThisMachine(request) && !this.#admits(request, response)) return
    const text = await exposition.render(snapshot())
    response.begin(200, { ...COMMON_HEADERS, 'content-type': exposition.contentType, 'cache-control': 'no-store' })
    response.end(text)
  }

  #data(request: HttpRequest, response: HttpResponse): void {
    if (!this.#admits(request, response)) return
    const { snapshot, recorder } = this.#parts
    const afterMs = Number(new URLSearchParams(request.query).get('after') ?? 0)
    answerJson(response, 200, { present: snapshot(), points: recorder.points.filter(({ atMs }) => atMs > afterMs) })
  }

  /** Whoever has no API key is told so. */
  #admits(request: HttpRequest, response: HttpResponse): boolean {
    const { apiKeys, wrongKey } = this.#parts
    const authorization = request.header('authorization')
    if (apiKeys.accepts(authorization)) return true
    if (!apiKeys.configured) answerText(response, 403, NO_KEY)
    else {
      if (authorization !== undefined) wrongKey(request)
      answerText(response, 401, 'Send an API key of this server: Authorization: Bearer KEY', {
        'www-authenticate': 'Bearer realm="partyline"',
      })
    }
    return false
  }
}
