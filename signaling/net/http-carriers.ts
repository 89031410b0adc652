import { CARRIER_HEADER, UPLINK_HEADER } from '../protocol/batch.ts'
import type { FillRandom } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import { COMMON_HEADERS } from '../static/security-headers.ts'
import type { UplinkAcceptor } from '../uplink.ts'
import type { Heartbeat } from './heartbeat.ts'
import { type HttpCarrierKind, HttpUplink, type HttpUplinkParts, type Taken } from './http-uplink.ts'
import { BodyError, type Headers, type HttpRequest, type HttpResponse, type RequestHead } from './network.ts'

export type Admission = { readonly address: string } | { readonly refuse: string }

export interface HttpCarriersParts {
  /** '' or '/party'. */
  readonly base: string
  readonly acceptor: UplinkAcceptor
  /** Sweeps with the patience below. */
  readonly heartbeat: Heartbeat
  readonly random: FillRandom
  /** Largest body of `send`: above the limit that is answered with words. */
  readonly maxBodyBytes: number
  readonly maxQueuedBytes: number
  /** The same rules as for WebSockets. */
  admit(request: RequestHead): Admission
}

/** Requests cost more than a ping, and a phone's tab in the background is slow to make one. */
export const HTTP_PATIENCE = Object.freeze({ pingAfterMs: 10_000, closeAfterMs: 25_000, sweepEveryMs: 1_000 })

/** A body has to arrive within this, however slowly; 256 KiB take that long at 140 kbit/s. */
const BODY_MS = 15_000
/** An EventSource connects at once or not at all. */
const TICKET_MS = 10_000
/** The join, as a record, and room for one that is answered as too large. */
const OPEN_BYTES = 2 * LIMITS.controlBytes
const SECRET_BYTES = 16
/** Browsers ask again after two hours at the latest. */
const PREFLIGHT_SECONDS = '7200'

const TOLD_LOOK_MS = 20

const KINDS: readonly string[] = ['sse', 'long-poll', 'short-poll']
const isKind = (text: string): text is HttpCarrierKind => KINDS.includes(text)

/** `no-transform` and the last are for proxies that would compress or collect what has to flow. */
const FLOWING: Headers = Object.freeze({
  ...COMMON_HEADERS,
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
})

/** The carriers over plain HTTP, below `<base>/uplink`. */
export class HttpCarriers {
  readonly #parts: HttpCarriersParts
  readonly #path: string
  readonly #uplinks = new Map<string, HttpUplink>()
  readonly #tickets = new Map<string, HttpUplink>()

  constructor(parts: HttpCarriersParts) {
    this.#parts = parts
    this.#path = `${parts.base}/uplink`
  }

  /** Undefined when the request is for somebody else. */
  handle(request: HttpRequest, response: HttpResponse): Promise<void> | undefined {
    if (request.path !== this.#path && !request.path.startsWith(`${this.#path}/`)) return undefined
    return this.#answered(request, response)
  }

  /** After the hub's end: when every client has heard of it, or after so long. */
  async told(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs
    while (performance.now() < untilMs && [...this.#uplinks.values()].some(({ untold }) => untold)) {
      await new Promise((resolve) => setTimeout(resolve, TOLD_LOOK_MS))
    }
  }

  async #answered(request: HttpRequest, response: HttpResponse): Promise<void> {
    const admission = this.#parts.admit(request)
    if ('refuse' in admission) {
      say(response, 403, admission.refuse)
      return
    }
    const cors = corsOf(request)
    if (request.method === 'OPTIONS') {
      response.begin(204, { ...COMMON_HEADERS, ...cors })
      response.end()
      return
    }
    try {
      await this.#route(
        `${request.method} ${request.path.slice(this.#path.length)}`,
        request,
        response,
        cors,
        admission,
      )
    } catch (error) {
      if (!(error instanceof BodyError)) throw error
      if (error.code === 'too-large') say(response, 413, 'That is more than one request may bring.', cors)
      else response.abort()
    }
  }

  async #route(
    route: string,
    request: HttpRequest,
    response: HttpResponse,
    cors: Headers,
    { address }: { readonly address: string },
  ): Promise<void> {
    const uplink = this.#named(request)
    const gone = (): void => say(response, 410, 'There is no such uplink any more.', cors)
    const took = (taken: Taken): void => {
      if (taken === 'gone') gone()
    }
    switch (route) {
      case 'POST ':
        return this.#open(request, response, cors, address)
      case 'GET /stream': {
        const ticket = /^ticket=([\w-]+)$/.exec(request.query)?.[1] ?? ''
        const named = this.#tickets.get(ticket)
        this.#tickets.delete(ticket)
        if (named?.attach(response) !== true) gone()
        return
      }
      case 'GET /poll':
        if (uplink === undefined) gone()
        else took(uplink.found.poll(uplink.number, response))
        return
      case 'POST /send': {
        if (uplink === undefined) {
          gone()
          return
        }
        const body = await inTime(request.body(this.#parts.maxBodyBytes), uplink.found)
        took(uplink.found.receive(uplink.number, body, response))
        return
      }
      default:
        say(response, 404, 'Uplinks are opened by POST here, and go on at /poll, /send and /stream.', cors)
    }
  }

  async #open(request: HttpRequest, response: HttpResponse, cors: Headers, address: string): Promise<void> {
    const [kind = '', how] = (request.header(CARRIER_HEADER) ?? '').split(';').map((part) => part.trim())
    if (!isKind(kind)) {
      say(response, 400, `Say which carrier: ${CARRIER_HEADER}: ${KINDS.join(', or ')}.`, cors)
      return
    }
    const body = await inTime(request.body(OPEN_BYTES))
    if (response.closed) return
    const uplink = new HttpUplink(this.#forUplink(cors), this.#secret(), address, kind)
    this.#uplinks.set(uplink.token, uplink)
    const ticket = kind === 'sse' && how === 'ticket' ? this.#ticketFor(uplink) : undefined
    uplink.open(response, body, (first) => this.#parts.acceptor.accept(uplink, first), ticket)
  }

  #ticketFor(uplink: HttpUplink): string {
    const ticket = this.#secret()
    this.#tickets.set(ticket, uplink)
    const late = setTimeout(() => {
      if (this.#tickets.delete(ticket)) uplink.end()
    }, TICKET_MS)
    late.unref()
    return ticket
  }

  #forUplink(cors: Headers): HttpUplinkParts {
    const { heartbeat, maxQueuedBytes } = this.#parts
    return {
      ...{ heartbeat, maxQueuedBytes },
      answer: (response, body) => {
        response.begin(200, { ...FLOWING, ...cors, 'content-type': 'application/octet-stream' })
        response.end(body)
      },
      stream: (response) =>
        response.begin(200, { ...FLOWING, ...cors, 'content-type': 'text/event-stream; charset=utf-8' }),
      forget: ({ token }) => void this.#uplinks.delete(token),
    }
  }

  #named(request: HttpRequest): { readonly found: HttpUplink; readonly number: number } | undefined {
    const [, token = '', number] = /^(\S+) (\d{1,9})$/.exec(request.header(UPLINK_HEADER) ?? '') ?? []
    const found = this.#uplinks.get(token)
    return found === undefined ? undefined : { found, number: Number(number) }
  }

  #secret(): string {
    const bytes = new Uint8Array(SECRET_BYTES)
    this.#parts.random(bytes)
    return Buffer.from(bytes).toString('base64url')
  }
}

/** Unless it takes too long, or the uplink it is for does not want it any more. */
async function inTime(body: Promise<Uint8Array>, uplink?: HttpUplink): Promise<Uint8Array> {
  let timer: NodeJS.Timeout | undefined
  let come: (() => void) | undefined
  const dropped = new Promise<never>((_, reject) => {
    const drop = (): void => reject(new BodyError('aborted'))
    timer = setTimeout(drop, BODY_MS)
    come = uplink?.reading(drop)
  })
  try {
    return await Promise.race([body, dropped])
  } finally {
    clearTimeout(timer)
    come?.()
  }
}

/** The page's origin has been let in already. Nothing here depends on cookies. */
function corsOf(request: RequestHead): Headers {
  const origin = request.header('origin')
  if (origin === undefined) return {}
  return {
    'access-control-allow-origin': origin,
    vary: 'origin',
    ...(request.method === 'OPTIONS'
      ? {
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers': `content-type, ${CARRIER_HEADER}, ${UPLINK_HEADER}`,
          'access-control-max-age': PREFLIGHT_SECONDS,
        }
      : {}),
  }
}

function say(response: HttpResponse, status: number, text: string, cors: Headers = {}): void {
  response.begin(status, {
    ...COMMON_HEADERS,
    ...cors,
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(`${text}\n`)
}
