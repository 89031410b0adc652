import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type BatchRecord, encodeRecord, messageRecord, readBatch } from '../../signaling/protocol/batch.ts'
import type { Closed, ConnectOptions, Wire } from './wire.ts'

type Kind = 'sse' | 'long-poll' | 'short-poll'

const SHORT_POLL_MS = 10
const NOTHING: Uint8Array = new Uint8Array()

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** An uplink over plain HTTP, as PROTOCOL.md, "Carriers over plain HTTP", says. */
export class HttpWire implements Wire {
  readonly protocol = ''
  readonly closed: Promise<Closed>
  readonly #url: string
  readonly #kind: Kind
  readonly #headers: Record<string, string>
  readonly #agent = new Agent({ keepAlive: true })
  readonly #open = new Set<ClientRequest>()
  readonly #early: (string | Buffer)[] = []
  #tell = (message: string | Buffer): void => void this.#early.push(message)
  #opened: () => void = () => undefined
  #end: (closed: Closed) => void = () => undefined
  #over = false
  token = ''
  #polls = 0
  #sends = 0
  #up: Uint8Array[] = []
  #sending = false
  #stream: IncomingMessage | undefined
  #goOn: Promise<void> | undefined
  #resume: () => void = () => undefined

  private constructor(url: string, kind: Kind, { headers = {}, origin }: ConnectOptions) {
    this.#url = url
    this.#kind = kind
    this.#headers = { ...headers, ...(origin === undefined ? {} : { origin }) }
    this.closed = new Promise((resolve) => {
      this.#end = (closed) => {
        if (this.#over) return
        this.#over = true
        resolve(closed)
        this.#break()
      }
    })
  }

  static async open(url: string, kind: Kind, options: ConnectOptions, first?: string): Promise<HttpWire> {
    const wire = new HttpWire(url, kind, options)
    const opened = new Promise<void>((resolve) => {
      wire.#opened = resolve
    })
    const body = first === undefined ? NOTHING : messageRecord(first)
    const headers = { 'partyline-carrier': kind, 'content-type': 'application/octet-stream' }
    if (kind === 'sse') {
      const response = await wire.#begin('POST', '', headers, body)
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${(await whole(response)).toString()}`)
      wire.#read(response)
      await opened
    } else {
      const answer = await wire.ask('POST', '', headers, body)
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.toString()}`)
      wire.#take(answer.body)
      void wire.#poll()
    }
    return wire
  }

  /** For requests of a test's own making. */
  static requests(url: string): HttpWire {
    return new HttpWire(url, 'long-poll', {})
  }

  /** One request below `<base>/uplink`. */
  async ask(method: string, path: string, headers: Record<string, string>, body = NOTHING): Promise<HttpAnswer> {
    const response = await this.#begin(method, path, headers, body)
    return { status: response.statusCode ?? 0, headers: response.headers, body: await whole(response) }
  }

  listen(listener: (message: string | Buffer) => void): void {
    this.#tell = listener
    for (const message of this.#early.splice(0)) listener(message)
  }

  send(message: string | Uint8Array): void {
    this.#up.push(messageRecord(message))
    if (!this.#sending) void this.#sendAll()
  }

  pause(): void {
    this.#stream?.pause()
    this.#goOn = new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.#goOn = undefined
    this.#stream?.resume()
    this.#resume()
  }

  close(): void {
    this.#up.push(encodeRecord({ kind: 'close', code: 1000, reason: '' }))
    if (!this.#sending) void this.#sendAll().then(() => this.#end({ code: 1000, reason: '' }))
  }

  drop(): void {
    if (this.#over) return
    // Whoever polls may have no connection that could break: the server would notice after a while only. A number that
    // does not fit tells it at once, and no more than a broken connection would.
    if (this.#kind !== 'sse' && this.token !== '') {
      this.ask('POST', '/send', { 'partyline-uplink': `${this.token} 999999999` }).catch(() => undefined)
      const last = [...this.#open].at(-1)
      if (last !== undefined) this.#open.delete(last)
    }
    this.#end({ code: 1006, reason: '' })
  }

  #break(): void {
    for (const one of this.#open) one.destroy()
    this.#open.clear()
  }

  #begin(method: string, path: string, headers: Record<string, string>, body: Uint8Array): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.#url}/uplink${path}`,
        {
          method,
          agent: this.#agent,
          headers: { ...this.#headers, ...headers, ...(method === 'POST' ? { 'content-length': body.length } : {}) },
        },
        resolve,
      )
      this.#open.add(asked)
      asked.on('error', reject)
      asked.on('close', () => this.#open.delete(asked))
      asked.end(body)
    })
  }

  async #sendAll(): Promise<void> {
    this.#sending = true
    try {
      while (this.#up.length > 0 && !this.#over) {
        let bytes = 0
        let count = 0
        for (const { length } of this.#up) {
          if (count > 0 && bytes + length > 262_144) break
          bytes += length
          count += 1
        }
        const body = Buffer.concat(this.#up.splice(0, count))
        this.#sends += 1
        const headers = {
          'partyline-uplink': `${this.token} ${this.#sends}`,
          'content-type': 'application/octet-stream',
        }
        const { status } = await this.ask('POST', '/send', headers, body)
        // How it ended is told on the way down.
        if (status !== 200) return
      }
    } catch {
      this.#end({ code: 1006, reason: '' })
    } finally {
      this.#sending = false
    }
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#over) {
        await this.#goOn
        this.#polls += 1
        const answer = await this.ask('GET', '/poll', { 'partyline-uplink': `${this.token} ${this.#polls}` })
        if (answer.status !== 200) this.#end({ code: 1006, reason: `${answer.status}` })
        else this.#take(answer.body)
        if (this.#kind === 'short-poll') await new Promise((resolve) => setTimeout(resolve, SHORT_POLL_MS))
      }
    } catch {
      this.#end({ code: 1006, reason: '' })
    }
  }

  #read(response: IncomingMessage): void {
    this.#stream = response
    let text = ''
    response.setEncoding('latin1')
    response.on('data', (chunk: string) => {
      text += chunk
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const [, data] = /^data: (.*)$/.exec(event) ?? []
        if (data !== undefined) this.#take(Buffer.from(data, 'base64'))
      }
    })
    const end = (): void => this.#end({ code: 1006, reason: '' })
    response.on('end', end)
    response.on('error', end)
    response.on('close', end)
  }

  #take(batch: Buffer): void {
    for (const record of readBatch(batch)) this.#record(record)
  }

  #record(record: BatchRecord): void {
    if (this.#over) return
    if (record.kind === 'opened') {
      this.token = record.token
      this.#opened()
    } else if (record.kind === 'text') this.#tell(record.text)
    else if (record.kind === 'binary') this.#tell(Buffer.from(record.bytes))
    else if (record.kind === 'close') this.#end({ code: record.code, reason: record.reason })
    else if (record.kind === 'ask' && !this.#sending) void this.#sendAll()
  }
}

async function whole(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
