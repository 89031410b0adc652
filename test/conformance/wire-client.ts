import { randomBytes } from 'node:crypto'
import { parseAnyServerMessage } from '../../signaling/protocol/any-server-message.ts'
import type { ServerMessage } from '../../signaling/protocol/control.ts'
import {
  type Address,
  ENVELOPE,
  envelopeLength,
  readEnvelope,
  writeEnvelope,
} from '../../signaling/protocol/envelope.ts'
import type { Json } from '../../signaling/protocol/guards.ts'
import type { PeerId } from '../../signaling/protocol/ids.ts'
import { encodeStoreRecord, type StoreRecord } from '../../signaling/protocol/record.ts'
import { type Closed, type ConnectOptions, openWire, type Wire } from './wire.ts'

export interface Frame {
  readonly from: PeerId | undefined
  readonly payload: string
  readonly slot: number | undefined
}

type MessageOf<T extends ServerMessage['t']> = Extract<ServerMessage, { t: T }>

export interface JoinOptions {
  readonly room: string
  readonly profile?: Json
  readonly token?: string
  readonly instance?: string
  readonly joinKey?: string
  readonly seal?: string
  readonly access?: string
  readonly vMin?: number
  readonly vMax?: number
}

/** So long that a machine may stand still meanwhile: it is not measured here. */
const WAIT_MS = 15_000
const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** One thing that comes later, or has come already and waits to be asked for. */
class Inbox<T> {
  readonly #come: T[] = []
  readonly #waiting: { readonly wants: (item: T) => boolean; readonly take: (item: T) => void }[] = []

  push(item: T): void {
    const index = this.#waiting.findIndex(({ wants }) => wants(item))
    if (index < 0) this.#come.push(item)
    else this.#waiting.splice(index, 1)[0]?.take(item)
  }

  next(wants: (item: T) => boolean, what: string): Promise<T> {
    const index = this.#come.findIndex(wants)
    if (index >= 0) return Promise.resolve(this.#come.splice(index, 1)[0] as T)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = JSON.stringify(this.#come).slice(0, 500)
        reject(new Error(`waited ${WAIT_MS} ms for ${what}; came instead: ${seen}`))
      }, WAIT_MS)
      this.#waiting.push({
        wants,
        take: (item) => {
          clearTimeout(timer)
          resolve(item)
        },
      })
    })
  }

  get rest(): readonly T[] {
    return this.#come
  }
}

/** A client that speaks the wire as PROTOCOL.md says and knows nothing else of Partyline. */
export class WireClient {
  readonly instance = hex(16)
  readonly joinKey = hex(16)
  readonly closed: Promise<Closed>
  readonly #wire: Wire
  readonly #messages = new Inbox<ServerMessage>()
  readonly #frames = new Inbox<Frame>()
  #lastRequest = 0

  private constructor(wire: Wire) {
    this.#wire = wire
    this.closed = wire.closed
    wire.listen((message) => {
      if (typeof message === 'string') this.#messages.push(parseAnyServerMessage(message))
      else this.#envelopes(message)
    })
  }

  /** Rejects when the uplink is refused. */
  static async connect(url: string, options: ConnectOptions = {}): Promise<WireClient> {
    return new WireClient(await openWire(url, options))
  }

  /** The subprotocol that the server chose, '' for none. */
  get protocol(): string {
    return this.#wire.protocol
  }

  /** Messages nobody asked for. */
  get unread(): readonly ServerMessage[] {
    return this.#messages.rest
  }

  get unreadFrames(): readonly Frame[] {
    return this.#frames.rest
  }

  request(): number {
    this.#lastRequest += 1
    return this.#lastRequest
  }

  say(message: object): void {
    this.#wire.send(JSON.stringify(message))
  }

  sendRaw(data: string | Uint8Array): void {
    this.#wire.send(data)
  }

  sayJoin(join: JoinOptions): number {
    const id = this.request()
    const { room, profile = null, token, instance = this.instance, joinKey = this.joinKey, vMin = 1, vMax = 1 } = join
    // What is not there does not get into JSON.
    this.say({
      t: 'join',
      id,
      vMin,
      vMax,
      room,
      profile,
      instance,
      joinKey,
      token,
      seal: join.seal,
      access: join.access,
    })
    return id
  }

  async join(join: JoinOptions): Promise<MessageOf<'welcome'>> {
    const id = this.sayJoin(join)
    const welcome = await this.next('welcome')
    if (welcome.re !== id) throw new Error(`the welcome answers ${welcome.re}, not ${id}`)
    return welcome
  }

  next<T extends ServerMessage['t']>(t: T): Promise<MessageOf<T>> {
    return this.#messages.next((message) => message.t === t, `"${t}"`) as Promise<MessageOf<T>>
  }

  nextFrame(): Promise<Frame> {
    return this.#frames.next(() => true, 'a frame')
  }

  /** A round trip: everything sent before it has been handled, everything sent to us before it has come. */
  async settle(): Promise<void> {
    const n = this.request()
    this.say({ t: 'ping', n })
    await this.#messages.next((message) => message.t === 'pong' && message.n === n, 'pong')
  }

  send(address: Address, payload: string, slot?: number): void {
    this.sendRaw(envelope(address, payload, slot))
  }

  /** A record for the server to keep. */
  store(record: StoreRecord): void {
    const payload = encodeStoreRecord(record)
    const bytes = new Uint8Array(envelopeLength({ kind: 'store' }, payload.length, undefined))
    writeEnvelope(bytes, 0, { kind: 'store' }, payload)
    this.sendRaw(bytes)
  }

  pauseReading(): void {
    this.#wire.pause()
  }

  resumeReading(): void {
    this.#wire.resume()
  }

  /** Drop the connection without a word. */
  drop(): void {
    this.#wire.drop()
  }

  close(): void {
    this.#wire.close()
  }

  #envelopes(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const view = readEnvelope(bytes, at, 16_777_216)
      if (view.kind !== ENVELOPE.from) throw new Error(`the server sent an envelope of kind ${view.kind}`)
      const payload = bytes.subarray(view.payloadStart, view.end).toString('latin1')
      this.#frames.push({ from: view.peer, payload, slot: view.slot })
      at = view.end
    }
  }
}

export function envelope(address: Address, payload: string, slot?: number): Uint8Array {
  const body = Buffer.from(payload, 'latin1')
  const bytes = new Uint8Array(envelopeLength(address, body.length, slot))
  writeEnvelope(bytes, 0, address, body, slot)
  return bytes
}
