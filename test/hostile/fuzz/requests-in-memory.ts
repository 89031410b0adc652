import { BodyError, type Headers, type HttpRequest, type HttpResponse } from '../../../signaling/net/network.ts'

export interface RequestParts {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** The client is gone before the body is whole. */
  readonly cut: boolean
}

export function requestInMemory({ method, path, query, headers, body, cut }: RequestParts): HttpRequest {
  return {
    ...{ method, path, query, socketAddress: '198.51.100.1', secure: false },
    header: (name) => headers[name],
    body: async (maxBytes) => {
      if (body.length > maxBytes) throw new BodyError('too-large')
      if (cut) throw new BodyError('aborted')
      return body.slice()
    },
  }
}

/** What a client gets, held to the rules of an answer. */
export class AnswerInMemory implements HttpResponse {
  readonly #aborted: (() => void)[] = []
  readonly #drained: (() => void)[] = []
  readonly #parts: Buffer[] = []
  readonly #slow: boolean
  status = 0
  headers: Headers = {}
  closed = false

  /** `slow`: what is written waits until `drain`. */
  constructor(slow: boolean) {
    this.#slow = slow
  }

  get body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  begin(status: number, headers: Headers): void {
    if (this.closed) return
    if (this.status !== 0) throw new Error('an answer was begun twice')
    this.status = status
    this.headers = headers
  }

  write(chunk: string | Uint8Array): 'sent' | 'queued' {
    if (this.closed) return 'sent'
    if (this.status === 0) throw new Error('an answer has a body and no head')
    this.#parts.push(Buffer.from(chunk as string))
    return this.#slow ? 'queued' : 'sent'
  }

  end(body?: string | Uint8Array): void {
    if (this.closed) return
    if (body !== undefined) this.write(body)
    this.closed = true
  }

  abort(): void {
    this.closed = true
  }

  onDrained(listener: () => void): void {
    this.#drained.push(listener)
  }

  onAborted(listener: () => void): void {
    this.#aborted.push(listener)
  }

  drain(): void {
    if (!this.closed) for (const listener of this.#drained) listener()
  }

  /** The client goes away. */
  leave(): void {
    if (this.closed) return
    this.closed = true
    for (const listener of this.#aborted) listener()
  }
}
