import { connect, type Socket } from 'node:net'
import { CARRIER_HEADER, readBatch, UPLINK_HEADER } from '../../../signaling/protocol/index.ts'
import type { RawConnection, RawSocketOptions, ReadBuffer } from './raw-socket.ts'

export interface RawHttpOptions extends Omit<RawSocketOptions, 'subprotocols'> {
  readonly carrier: 'sse' | 'long-poll'
  /** What opens it: records. */
  readonly first: Uint8Array
}

/** One connection on which answers come: each whole, or, of a stream, in chunks. */
class Answers {
  readonly #socket: Socket
  readonly #answered: (body: Buffer) => void
  #rest: Buffer = Buffer.alloc(0)
  #streaming = false

  constructor(port: number, shared: ReadBuffer, answered: (body: Buffer) => void, closed: () => void) {
    this.#answered = answered
    this.#socket = connect({
      ...{ port, host: '127.0.0.1', noDelay: true },
      onread: {
        buffer: shared.bytes,
        callback: (count, buffer) => {
          this.#read(Buffer.concat([this.#rest, (buffer as Buffer).subarray(0, count)]))
          return true
        },
      },
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', closed)
  }

  ask(method: string, path: string, header: string, body: Uint8Array): void {
    const length = method === 'POST' ? `Content-Length: ${body.length}\r\n` : ''
    const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}\r\n${length}\r\n`, 'latin1')
    this.#socket.write(body.length === 0 ? head : Buffer.concat([head, body]))
  }

  drop(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    let at = 0
    for (let next = this.#one(bytes, at); next > at; next = this.#one(bytes, at)) at = next
    this.#rest = Buffer.from(bytes.subarray(at))
  }

  /** Where the answer, or chunk, at `at` ends; `at` when not all of it is there. */
  #one(bytes: Buffer, at: number): number {
    // What ends a chunk may come with the next one.
    if (this.#streaming && bytes[at] === 0x0d) return at + 2 <= bytes.length ? at + 2 : at
    const lineEnd = bytes.indexOf(this.#streaming ? '\r\n' : '\r\n\r\n', at, 'latin1')
    if (lineEnd < 0) return at
    const head = bytes.toString('latin1', at, lineEnd)
    if (this.#streaming) {
      const from = lineEnd + 2
      const to = from + Number.parseInt(head, 16)
      if (to > bytes.length) return at
      this.#answered(bytes.subarray(from, to))
      return to
    }
    if (!head.startsWith('HTTP/1.1 200')) {
      this.#socket.destroy()
      return at
    }
    const from = lineEnd + 4
    const length = /^content-length: (\d+)/im.exec(head)?.[1]
    if (length === undefined) {
      this.#streaming = true
      return from
    }
    const to = from + Number(length)
    if (to > bytes.length) return at
    this.#answered(bytes.subarray(from, to))
    return to
  }
}

const NOTHING = Buffer.alloc(0)

/** As little of our carriers over plain HTTP as a load generator needs: one connection down, another one up. */
export class RawHttp implements RawConnection {
  readonly #options: RawHttpOptions
  readonly #shared: ReadBuffer
  readonly #down: Answers
  /** A server closes it when it has rested for some seconds, as any of HTTP may be: the next request makes another. */
  #up: Answers | undefined
  #token = ''
  #polled = 0
  #sent = 0
  #sending = false
  #waiting: Uint8Array[] = []
  #over = false

  constructor(options: RawHttpOptions, shared: ReadBuffer) {
    this.#options = options
    this.#shared = shared
    const { port, path, carrier, first } = options
    this.#down = new Answers(
      port,
      shared,
      (body) => this.#came(body),
      () => this.#closed(),
    )
    this.#up = this.#upward()
    this.#down.ask('POST', path, `${CARRIER_HEADER}: ${carrier}`, first)
  }

  write(records: Uint8Array): void {
    this.#waiting.push(records)
    this.#send()
  }

  drop(): void {
    this.#over = true
    this.#down.drop()
    this.#up?.drop()
  }

  #closed(): void {
    if (this.#over) return
    this.drop()
    this.#options.closed()
  }

  #upward(): Answers {
    return new Answers(
      this.#options.port,
      this.#shared,
      () => this.#taken(),
      () => {
        if (this.#sending) this.#closed()
        else this.#up = undefined
      },
    )
  }

  #came(body: Buffer): void {
    const { carrier, message, opened } = this.#options
    const stream = carrier === 'sse'
    // Comments are for proxies.
    if (stream && body[0] !== 0x64) return
    const batch = stream ? Buffer.from(body.toString('latin1', 'data: '.length), 'base64') : body
    if (!stream && this.#token !== '') this.#poll()
    for (const record of readBatch(batch)) {
      if (record.kind === 'opened') {
        this.#token = record.token
        opened()
        this.#send()
        if (!stream) this.#poll()
      } else if (record.kind === 'text') {
        const text = Buffer.from(record.text)
        message(true, text, 0, text.length)
      } else if (record.kind === 'binary') {
        const { buffer, byteOffset, length } = record.bytes
        message(false, Buffer.from(buffer, byteOffset, length), 0, length)
      } else if (record.kind === 'ask') this.write(NOTHING)
    }
  }

  #poll(): void {
    this.#polled += 1
    const { path } = this.#options
    if (!this.#over) this.#down.ask('GET', `${path}/poll`, `${UPLINK_HEADER}: ${this.#token} ${this.#polled}`, NOTHING)
  }

  /** One request at a time; what comes meanwhile goes with the next. */
  #send(): void {
    if (this.#sending || this.#over || this.#token === '' || this.#waiting.length === 0) return
    this.#sending = true
    this.#sent += 1
    const body = Buffer.concat(this.#waiting.splice(0))
    this.#up ??= this.#upward()
    this.#up.ask('POST', `${this.#options.path}/send`, `${UPLINK_HEADER}: ${this.#token} ${this.#sent}`, body)
  }

  #taken(): void {
    this.#sending = false
    this.#send()
  }
}
