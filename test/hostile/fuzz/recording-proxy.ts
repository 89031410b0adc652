import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { offeredJoin } from '../../../signaling/protocol/offered-join.ts'
import type { RecordedSession, RecordedStep } from './recording.ts'

interface Session extends RecordedSession {
  readonly steps: RecordedStep[]
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Stands between clients and their server, and writes down what they say. */
export class RecordingProxy {
  readonly #target: number
  readonly #sessions: Session[] = []
  /** Of uplinks over plain HTTP, by their secrets. */
  readonly #bySecret = new Map<string, Session>()
  readonly #server = createServer((asked, answer) => void this.#pass(asked, answer))
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'partyline' })

  private constructor(target: number) {
    this.#target = target
    this.#server.on('upgrade', (asked: IncomingMessage, socket, head) =>
      this.#sockets.handleUpgrade(asked, socket, head, (near) => this.#carry(near, asked)),
    )
  }

  static async before(target: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  get sessions(): readonly RecordedSession[] {
    return this.#sessions
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #begin(): Session {
    const session: Session = { steps: [] }
    this.#sessions.push(session)
    return session
  }

  #carry(near: WebSocket, asked: IncomingMessage): void {
    const { steps } = this.#begin()
    const protocols = asked.headers['sec-websocket-protocol']?.split(',').map((one) => one.trim())
    const join = offeredJoin(asked.headers['sec-websocket-protocol'])
    if (join !== undefined) steps.push({ up: join })
    const far = new WebSocket(`ws://127.0.0.1:${this.#target}/ws`, protocols)
    const waiting: [Buffer, boolean][] = []
    near.on('message', (data: Buffer, isBinary) => {
      steps.push(isBinary ? { upBytes: base64(data) } : { up: data.toString() })
      if (far.readyState === far.OPEN) far.send(data, { binary: isBinary })
      else waiting.push([data, isBinary])
    })
    far.on('open', () => {
      for (const [data, binary] of waiting.splice(0)) far.send(data, { binary })
    })
    far.on('message', (data: Buffer, isBinary) => {
      steps.push(isBinary ? { downBytes: base64(data) } : { down: data.toString() })
      near.send(data, { binary: isBinary })
    })
    far.on('close', () => near.close())
    near.on('close', () => far.close())
    far.on('error', () => near.terminate())
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of asked) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const { method = 'GET', url = '/', headers } = asked
    const carrier = headers['partyline-carrier'] as string | undefined
    const [secret = '', number] = String(headers['partyline-uplink'] ?? '').split(' ')
    const session = this.#bySecret.get(secret) ?? this.#begin()
    session.steps.push({
      ...{ method, path: url.slice('/uplink'.length), body: base64(body) },
      ...(carrier === undefined ? {} : { carrier }),
      ...(number === undefined ? {} : { number: Number(number) }),
    })
    const passed = request({ host: '127.0.0.1', port: this.#target, method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.on('data', (chunk: Buffer) => {
        answer.write(chunk)
        this.#secretIn(carrier === 'sse' ? event(chunk) : chunk, session)
      })
      response.on('end', () => answer.end())
      response.on('error', () => answer.destroy())
    })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    passed.end(body)
  }

  /** What opens an uplink begins with its secret. */
  #secretIn(batch: Uint8Array, session: Session): void {
    const length = batch[1] ?? 0
    if (batch[0] !== OPENED || length > 127) return
    this.#bySecret.set(Buffer.from(batch.subarray(2, 2 + length)).toString('latin1'), session)
  }
}

const OPENED = 4

/** The batch in the first event of a stream that there is in this part of it. */
const event = (chunk: Buffer): Buffer => Buffer.from(/data: (\S+)/.exec(chunk.toString('latin1'))?.[1] ?? '', 'base64')
