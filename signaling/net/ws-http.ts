import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { normalAddress } from './address.ts'
import { Body } from './body.ts'
import { BodyError, type Headers, type HttpRequest, type HttpResponse, type RequestHead } from './network.ts'

export function requestHead(message: IncomingMessage): RequestHead {
  const url = message.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: message.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    socketAddress: normalAddress(message.socket.remoteAddress ?? '') ?? '',
    secure: message.socket instanceof TLSSocket,
    header: (name) => {
      // Of several, node:http tells the first.
      const value = name === 'host' ? message.headersDistinct.host : message.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
}

export function requestWithBody(head: RequestHead, message: IncomingMessage): HttpRequest {
  return {
    ...head,
    body: (maxBytes) =>
      new Promise<Body>((resolve, reject) => {
        const body = new Body(maxBytes)
        message.on('data', (piece: Buffer) => body.add(piece))
        message.on('end', () => resolve(body))
        message.on('close', () => reject(new BodyError('aborted')))
      }).then((body) => body.whole()),
  }
}

export class NodeAnswer implements HttpResponse {
  readonly #response: ServerResponse
  readonly #headOnly: boolean
  #head: { readonly status: number; readonly headers: Headers } | undefined
  #ended = false

  constructor(response: ServerResponse, headOnly: boolean) {
    this.#response = response
    this.#headOnly = headOnly
    response.on('error', () => undefined)
  }

  get closed(): boolean {
    return this.#ended || this.#response.closed
  }

  get begun(): boolean {
    return this.#head !== undefined
  }

  begin(status: number, headers: Headers): void {
    this.#head ??= { status, headers }
  }

  write(chunk: string | Uint8Array): 'sent' | 'queued' {
    if (this.closed) return 'sent'
    this.#sendHead()
    if (this.#headOnly) return 'sent'
    if (chunk.length === 0) {
      this.#response.flushHeaders()
      return 'sent'
    }
    // node:http keeps a reference to what the socket does not take at once.
    return this.#response.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk)) ? 'sent' : 'queued'
  }

  end(body?: string | Uint8Array): void {
    if (this.closed) return
    if (!this.#response.headersSent) {
      const status = this.#head?.status ?? 200
      const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body ?? '') }
      this.#response.writeHead(status, { ...this.#head?.headers, ...length })
    }
    this.#ended = true
    if (this.#headOnly || body === undefined) this.#response.end()
    else this.#response.end(typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.length))
  }

  onDrained(listener: () => void): void {
    this.#response.on('drain', listener)
  }

  onAborted(listener: () => void): void {
    this.#response.once('close', () => {
      if (!this.#ended) listener()
    })
  }

  abort(): void {
    this.#ended = true
    this.#response.destroy()
  }

  #sendHead(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(this.#head?.status ?? 200, { ...this.#head?.headers })
  }
}
