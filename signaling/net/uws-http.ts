import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'
import { addressFromBytes } from './address.ts'
import { Body } from './body.ts'
import { BodyError, type Headers, type HttpRequest, type HttpResponse, type RequestHead } from './network.ts'
import { isAmbiguous, MOST_HEADERS_BYTES, MOST_IN_A_TURN } from './request-shape.ts'
import { statusLine } from './status.ts'

/**
 * Copies the request, which uWebSockets.js takes back when the handler returns. Undefined for one that has to be broken
 * off: an answer, even one that closes the connection, would have what stands behind it taken for the next request.
 */
export function requestHead(res: UwsResponse, req: UwsRequest, secure: boolean): RequestHead | undefined {
  const headers = new Map<string, string>()
  const url = req.getUrl()
  let bytes = url.length
  req.forEach((name, value) => {
    bytes += name.length + value.length
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  })
  const head: RequestHead = {
    method: req.getMethod().toUpperCase(),
    path: url,
    query: req.getQuery() ?? '',
    socketAddress: addressFromBytes(new Uint8Array(res.getRemoteAddress())),
    secure,
    header: (name) => headers.get(name),
  }
  return bytes > MOST_HEADERS_BYTES || isAmbiguous(head) ? undefined : head
}

/**
 * uWebSockets.js takes requests from a connection as fast as they come, read or not read the answers: half a megabyte of
 * them, some 10,000, in one go, and everybody else waits. It ends a connection that has a request for it while one is
 * being answered; so under such a load answers are given in the next turn. Who sends one request after the other, as all
 * do but those, notices nothing.
 */
export class AnswerPace {
  #inThisTurn = 0

  /** Runs `leave` now or in the next turn. */
  run(leave: () => void): void {
    if (this.#inThisTurn === 0) {
      setImmediate(() => {
        this.#inThisTurn = 0
      })
    }
    this.#inThisTurn += 1
    if (this.#inThisTurn <= MOST_IN_A_TURN) leave()
    else setImmediate(leave)
  }
}

/** Must be made before anything else happens to `res`: without `onAborted` an unanswered request aborts the process. */
export class UwsAnswer implements HttpResponse {
  readonly #res: UwsResponse
  readonly #headOnly: boolean
  readonly #pace: AnswerPace
  readonly #aborted: (() => void)[] = []
  readonly #drained: (() => void)[] = []
  #closed = false
  /** All of the answer is there. */
  #ended = false
  #begun: { readonly status: number; readonly headers: Headers } | undefined
  #headSent = false
  #watchingDrain = false

  constructor(res: UwsResponse, headOnly: boolean, pace: AnswerPace) {
    this.#res = res
    this.#headOnly = headOnly
    this.#pace = pace
    res.onAborted(() => {
      if (this.#closed) return
      this.#closed = true
      if (this.#ended) return
      for (const listener of this.#aborted) listener()
    })
  }

  get closed(): boolean {
    return this.#closed || this.#ended
  }

  get begun(): boolean {
    return this.#begun !== undefined
  }

  begin(status: number, headers: Headers): void {
    this.#begun ??= { status, headers }
  }

  write(chunk: string | Uint8Array): 'sent' | 'queued' {
    if (this.closed) return 'sent'
    let taken = true
    this.#res.cork(() => {
      this.#sendHead()
      if (!this.#headOnly && chunk.length > 0) taken = this.#res.write(chunk)
    })
    if (taken) return 'sent'
    this.#watchDrain()
    return 'queued'
  }

  end(body?: string | Uint8Array): void {
    if (this.closed) return
    this.#ended = true
    this.#pace.run(() => this.#leave(body))
  }

  #leave(body: string | Uint8Array | undefined): void {
    if (this.#closed) return
    const streamed = this.#headSent
    this.#res.cork(() => {
      this.#sendHead()
      if (this.#headOnly) this.#endHead(body)
      else if (streamed) this.#finish(() => this.#res.end(body))
      else if (body === undefined || body.length === 0) this.#endEmpty()
      else this.#endWhole(typeof body === 'string' ? Buffer.from(body) : body)
    })
  }

  onDrained(listener: () => void): void {
    this.#drained.push(listener)
  }

  onAborted(listener: () => void): void {
    this.#aborted.push(listener)
  }

  abort(): void {
    if (!this.#closed) this.#finish(() => this.#res.close())
  }

  #finish(act: () => void): void {
    this.#closed = true
    act()
  }

  #sendHead(): void {
    if (this.#headSent) return
    this.#headSent = true
    const { status, headers } = this.#begun ?? { status: 200, headers: {} }
    this.#res.writeStatus(statusLine(status))
    for (const [name, value] of Object.entries(headers)) this.#res.writeHeader(name, value)
  }

  #endHead(body: string | Uint8Array | undefined): void {
    const length = body === undefined ? undefined : Buffer.byteLength(body)
    this.#finish(() => this.#res.endWithoutBody(length))
  }

  #endEmpty(): void {
    const status = this.#begun?.status ?? 200
    this.#finish(() => (status === 304 || status === 204 ? this.#res.endWithoutBody() : this.#res.end()))
  }

  /** uWebSockets.js keeps no more of a large body than the socket takes; the rest follows as it drains. */
  #endWhole(body: Uint8Array): void {
    const [taken, done] = this.#res.tryEnd(body, body.length)
    if (done) {
      this.#closed = true
      return
    }
    if (taken) return
    this.#res.onWritable((offset) => {
      const [ok, finished] = this.#res.tryEnd(body.subarray(offset), body.length)
      if (finished) this.#closed = true
      return ok
    })
  }

  #watchDrain(): void {
    if (this.#watchingDrain) return
    this.#watchingDrain = true
    this.#res.onWritable(() => {
      // uWebSockets.js writes what it holds after this: whoever writes more now would only add to that.
      setImmediate(() => {
        if (!this.#closed) for (const listener of this.#drained) listener()
      })
      return true
    })
  }
}

/** The body is collected from the start, because uWebSockets.js gives it once; only what was asked for is kept. */
export function requestWithBody(head: RequestHead, res: UwsResponse, answer: UwsAnswer): HttpRequest {
  return {
    ...head,
    body: (maxBytes) =>
      new Promise<Body>((resolve, reject) => {
        const body = new Body(maxBytes)
        answer.onAborted(() => reject(new BodyError('aborted')))
        res.onData((chunk, isLast) => {
          body.add(new Uint8Array(chunk))
          if (isLast) resolve(body)
        })
      }).then((body) => body.whole()),
  }
}
