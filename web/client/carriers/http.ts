import {
  type BatchRecord,
  CARRIER_HEADER,
  CLOSE,
  encodeRecord,
  messageRecord,
  readBatch,
  takeBatch,
  UPLINK_HEADER,
} from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import type { CarrierKind } from '../face.ts'
import { type Carrier, type CarrierEvents, type OpenCarrier, UNREACHABLE } from './carrier.ts'
import { waitingPlace } from './waiting-places.ts'

export type HttpCarrierKind = Exclude<CarrierKind, 'websocket'>

/** TCP, TLS, a preflight and the request: five round trips, and a lost SYN costs 1 to 3 s. */
const OPENING_MS = 5_000
/** How long what was sent before `close` may take to leave. */
const CLOSING_MS = 1_000
/** Bytes in one request: what the server takes is twice that. */
const BATCH_BYTES = 262_144
/** Between short polls: soon while there is something, rarely while there is not. */
const SHORTEST_POLL_MS = 50
const LONGEST_POLL_MS = 1_000
/** Browsers keep some 64 KiB of requests alive beyond a page's end. */
const KEPT_ALIVE_BYTES = 16_384

const NOTHING = new Uint8Array()

/** Streams of answers can be read; else there is EventSource. */
const canStream = (): boolean => 'body' in Response.prototype

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))

/** The carriers over plain HTTP: requests up, one at a time; down a stream, or the answers to polls. */
class HttpCarrier implements Carrier {
  readonly kind: HttpCarrierKind
  readonly #address: URL
  readonly #events: CarrierEvents
  readonly #clock: Clock
  readonly #ending = new AbortController()
  /** To be sent when it is open; '' when it went with the opening. */
  #first: string
  #token = ''
  #state: 'opening' | 'open' | 'over' = 'opening'
  #opening: TimerHandle
  #up: Uint8Array[] = []
  #upBytes = 0
  #sending = false
  #sends = 0
  #pollMs = SHORTEST_POLL_MS
  #wake: () => void = () => undefined

  constructor(kind: HttpCarrierKind, server: URL, first: string, events: CarrierEvents, clock: Clock, plain: boolean) {
    this.kind = kind
    this.#address = new URL('uplink', server)
    this.#events = events
    this.#clock = clock
    this.#opening = clock.setTimeout(() => this.#end(CLOSE.timeout, 'did not open in time'), OPENING_MS)
    const ticket = kind === 'sse' && !canStream()
    const later = plain || ticket
    this.#first = later ? first : ''
    this.#run(later ? NOTHING : messageRecord(first), ticket).catch((error: unknown) => {
      const lost = error instanceof TypeError && this.#token === ''
      this.#end(1006, lost ? UNREACHABLE : String(error))
    })
  }

  send(message: string | Uint8Array): boolean {
    if (this.#state !== 'open') return false
    this.#push(messageRecord(message))
    return true
  }

  bufferedBytes(): number {
    return this.#upBytes
  }

  close(code: number, reason: string): void {
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#over()
    if (!wasOpen) {
      this.#ending.abort()
      return
    }
    // The server hears of it behind what was sent; until then the way down stays, since its end would be the uplink's.
    this.#push(encodeRecord({ kind: 'close', code, reason }))
    this.#clock.setTimeout(() => this.#ending.abort(), CLOSING_MS)
  }

  async #run(body: Uint8Array, ticket: boolean): Promise<void> {
    if (this.kind !== 'short-poll' && !(await waitingPlace(this.#address, this.#ending.signal))) {
      throw new Error('too many tabs wait for this server')
    }
    const carrier = ticket ? 'sse; ticket' : this.kind
    const response = await this.#fetch('', 'POST', { [CARRIER_HEADER]: carrier }, body)
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    if (this.kind === 'sse' && !ticket) await this.#read(response)
    else {
      this.#take(new Uint8Array(await response.arrayBuffer()))
      if (ticket) return
      await this.#poll()
    }
    throw new Error('the stream ended')
  }

  #fetch(path: string, method: string, headers: Record<string, string>, body?: Uint8Array): Promise<Response> {
    const small = body !== undefined && body.length < KEPT_ALIVE_BYTES
    return fetch(`${this.#address}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/octet-stream' },
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      cache: 'no-store',
      signal: this.#ending.signal,
      // What a page says while it goes still arrives.
      keepalive: small && globalThis.document?.visibilityState === 'hidden',
    })
  }

  /** A numbered request. It may be repeated: the server knows it by its number. */
  async #ask(path: string, method: string, number: number, body?: Uint8Array): Promise<Uint8Array> {
    for (let tries = 1; ; tries += 1) {
      try {
        const response = await this.#fetch(path, method, { [UPLINK_HEADER]: `${this.#token} ${number}` }, body)
        const answer = new Uint8Array(await response.arrayBuffer())
        if (response.ok) return answer
        if (response.status < 500) tries += 1
        throw new Error(`HTTP ${response.status}`)
      } catch (error) {
        if (tries > 1 || this.#ending.signal.aborted) throw error
      }
    }
  }

  async #read(response: Response): Promise<void> {
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) return
      const lines = (text + decoder.decode(part.value, { stream: true })).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('data: ')) this.#take(fromBase64(line.slice(6)))
    }
  }

  #readEvents(ticket: string): void {
    const source = new EventSource(`${this.#address}/stream?ticket=${ticket}`)
    this.#ending.signal.addEventListener('abort', () => source.close())
    source.onopen = () => this.#opened()
    source.onmessage = ({ data }: MessageEvent<string>) => {
      try {
        this.#take(fromBase64(data))
      } catch (error) {
        this.#end(1006, String(error))
      }
    }
    // It would connect again by itself, with a ticket that is used up.
    source.onerror = () => this.#end(1006, 'the stream ended')
  }

  async #poll(): Promise<void> {
    for (let polls = 1; !this.#ending.signal.aborted; polls += 1) {
      const batch = await this.#ask('/poll', 'GET', polls)
      this.#pollMs = batch.length > 0 ? SHORTEST_POLL_MS : Math.min(LONGEST_POLL_MS, 2 * this.#pollMs)
      this.#take(batch)
      if (this.kind === 'short-poll') await this.#pause()
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, this.#pollMs)
      this.#wake = () => {
        this.#pollMs = SHORTEST_POLL_MS
        this.#clock.clearTimeout(timer)
        resolve()
      }
    })
  }

  #push(record: Uint8Array): void {
    this.#up.push(record)
    this.#upBytes += record.length
    if (!this.#sending) this.#pump()
  }

  #pump(): void {
    this.#sending = true
    // What is said in one turn leaves in one request.
    queueMicrotask(() =>
      this.#sendAll().catch((error: unknown) => {
        this.#end(1006, String(error))
        this.#ending.abort()
      }),
    )
  }

  async #sendAll(): Promise<void> {
    do {
      const batch = takeBatch(this.#up, BATCH_BYTES)
      this.#sends += 1
      await this.#ask('/send', 'POST', this.#sends, batch)
      this.#upBytes -= batch.length
      // An answer may wait there already.
      this.#wake()
    } while (this.#up.length > 0)
    this.#sending = false
    if (this.#state === 'over') this.#ending.abort()
  }

  #take(batch: Uint8Array): void {
    for (const record of readBatch(batch)) this.#handle(record)
  }

  #handle(record: BatchRecord): void {
    if (this.#state === 'over') return
    switch (record.kind) {
      case 'opened':
        this.#token = record.token
        // Without a stream that can be read, it is the EventSource that opens it.
        if (this.kind !== 'sse' || canStream()) this.#opened()
        break
      case 'ticket':
        this.#readEvents(record.ticket)
        break
      case 'text':
        this.#events.text(record.text)
        break
      case 'binary':
        this.#events.binary(record.bytes)
        break
      case 'ask':
        if (!this.#sending) this.#pump()
        break
      case 'close':
        this.#end(record.code, record.reason)
    }
  }

  #opened(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#clock.clearTimeout(this.#opening)
    if (this.#first !== '') this.send(this.#first)
    this.#events.opened()
  }

  #over(): void {
    this.#state = 'over'
    this.#clock.clearTimeout(this.#opening)
  }

  #end(code: number, reason: string): void {
    if (this.#state === 'over') return
    this.#over()
    this.#ending.abort()
    this.#events.closed(code, reason)
  }
}

/** `sse`, `long-poll` or `short-poll`: `<server>/uplink`. */
export const openHttp =
  (kind: HttpCarrierKind): OpenCarrier =>
  (server, first, events, clock, plain) =>
    new HttpCarrier(kind, server, first, events, clock, plain)
