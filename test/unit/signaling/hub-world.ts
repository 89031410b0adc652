import type { Access } from '../../../signaling/access/access-tokens.ts'
import { Hub } from '../../../signaling/hub.ts'
import { HUB_DEFAULTS, type HubOptions } from '../../../signaling/limits/hub-options.ts'
import { parseAnyServerMessage } from '../../../signaling/protocol/any-server-message.ts'
import type { ServerMessage } from '../../../signaling/protocol/control.ts'
import {
  type Address,
  envelopeLength,
  readEnvelope,
  type StoreAddress,
  writeEnvelope,
} from '../../../signaling/protocol/envelope.ts'
import type { Json } from '../../../signaling/protocol/guards.ts'
import { type PeerId, randomHex } from '../../../signaling/protocol/ids.ts'
import { type DepartureStore, MemoryDepartures } from '../../../signaling/sessions/departures.ts'
import type { SessionWatcher } from '../../../signaling/sessions/watcher.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeUplink } from '../../support/fake-uplink.ts'

export type Message<T extends ServerMessage['t']> = Extract<ServerMessage, { t: T }>

/** Repeatable random bytes (mulberry32). */
export function seededRandom(seed: number): (bytes: Uint8Array) => void {
  let state = seed
  return (bytes) => {
    for (let index = 0; index < bytes.length; index += 1) {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      bytes[index] = mixed >>> 24
    }
  }
}

export const KEY = new Uint8Array(32).fill(7)

export interface WorldParts {
  readonly options?: Partial<HubOptions>
  readonly departures?: DepartureStore
  readonly keys?: readonly Uint8Array[]
  readonly clock?: FakeClock
  readonly seed?: number
  readonly access?: Access
  readonly watcher?: SessionWatcher
}

/** A hub with held time and turns, and clients without a network. */
export class World {
  readonly clock: FakeClock
  readonly departures: DepartureStore
  readonly random: (bytes: Uint8Array) => void
  readonly hub: Hub
  readonly defects: object[] = []
  #afterTurn: (() => void)[] = []

  constructor(parts: WorldParts = {}) {
    this.clock = parts.clock ?? new FakeClock()
    this.departures = parts.departures ?? new MemoryDepartures()
    this.random = seededRandom(parts.seed ?? 1)
    this.hub = new Hub({
      options: { ...HUB_DEFAULTS, ...parts.options },
      clock: this.clock,
      random: this.random,
      log: { debug() {}, info() {}, warn() {}, error: (fields) => this.defects.push(fields) },
      sessionKeys: parts.keys ?? [KEY],
      iceServers: (id) => ({
        servers: [{ urls: ['turn:turn.example'], username: `1:${id}`, credential: 'x' }],
        expiresAtMs: this.clock.nowMs() + 3_600_000,
      }),
      departures: this.departures,
      access: parts.access,
      watcher: parts.watcher,
      afterTurn: (run) => this.#afterTurn.push(run),
    })
  }

  connect(address?: string): Client {
    const uplink = new FakeUplink(address)
    uplink.attach(this.hub.accept(uplink))
    return new Client(uplink, this.random)
  }

  /** A client whose join, or what it has for one, comes with what opens its uplink. */
  open(first: object | string): Client {
    const uplink = new FakeUplink()
    uplink.attach(this.hub.accept(uplink, typeof first === 'string' ? first : JSON.stringify(first)))
    return new Client(uplink, this.random)
  }

  /** A client that is in the room. */
  enter(room = 'lobby', profile: Json = null): Client {
    const client = this.connect()
    client.join({ room, profile })
    return client
  }

  /** The I/O events at hand are handled: the turn of the loop is over. */
  endTurn(): void {
    const runs = this.#afterTurn
    this.#afterTurn = []
    for (const run of runs) run()
  }

  /** End turns until nothing waits for the end of one. */
  settle(): void {
    while (this.#afterTurn.length > 0) this.endTurn()
  }
}

/** Fields of `join` that differ from the usual; any may be wrong. */
export type JoinParts = Readonly<Record<string, unknown>>

export interface Frame {
  readonly from: PeerId
  readonly text: string
  readonly slot: number | undefined
}

const decoder = new TextDecoder()

/** The client's end of one fake uplink. */
export class Client {
  instance: string
  joinKey: string
  #requests = 0

  constructor(
    readonly uplink: FakeUplink,
    random: (bytes: Uint8Array) => void,
  ) {
    this.instance = randomHex(16, random)
    this.joinKey = randomHex(16, random)
  }

  get id(): PeerId {
    return this.last('welcome').peerId
  }

  /** Become another connection of the same running client. */
  sameAs(other: Client): this {
    this.instance = other.instance
    this.joinKey = other.joinKey
    return this
  }

  join(parts: JoinParts = {}): void {
    const { instance, joinKey } = this
    this.request({ t: 'join', vMin: 1, vMax: 1, room: 'lobby', profile: null, instance, joinKey, ...parts })
  }

  /** Send a request and return its number. */
  request(message: object): number {
    this.#requests += 1
    this.say({ id: this.#requests, ...message })
    return this.#requests
  }

  say(message: unknown): void {
    this.uplink.receive(typeof message === 'string' ? message : JSON.stringify(message))
  }

  send(address: Address, text: string, slot?: number): void {
    this.uplink.receive(envelope(address, text, slot))
  }

  all(text: string, slot?: number): void {
    this.send({ kind: 'all' }, text, slot)
  }

  to(receiver: Client, text: string): void {
    this.send({ kind: 'one', id: receiver.id }, text)
  }

  /** Everything received, control messages parsed, each binary message as the frames in it. */
  received(): (ServerMessage | readonly Frame[])[] {
    return this.uplink.delivered.map((message) =>
      typeof message === 'string' ? parseAnyServerMessage(message) : frames(message),
    )
  }

  messages<T extends ServerMessage['t']>(t: T): Message<T>[] {
    return this.received().filter((message): message is Message<T> => 't' in message && message.t === t)
  }

  last<T extends ServerMessage['t']>(t: T): Message<T> {
    const found = this.messages(t).at(-1)
    if (found === undefined) throw new Error(`no ${t} among ${JSON.stringify(this.received())}`)
    return found
  }

  /** Binary messages, each as the texts of its frames. */
  packets(): string[][] {
    return this.received().flatMap((message) => ('t' in message ? [] : [message.map((frame) => frame.text)]))
  }

  frames(): Frame[] {
    return this.received().flatMap((message) => ('t' in message ? [] : message))
  }

  texts(): string[] {
    return this.frames().map((frame) => frame.text)
  }
}

export function envelope(address: Address | StoreAddress, payload: string | Uint8Array, slot?: number): Uint8Array {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
  const written = new Uint8Array(envelopeLength(address, bytes.length, slot))
  writeEnvelope(written, 0, address, bytes, slot)
  return written
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function frames(message: Uint8Array): Frame[] {
  const found: Frame[] = []
  for (let at = 0; at < message.length; ) {
    const view = readEnvelope(message, at)
    if (view.kind !== 5 || view.peer === undefined) throw new Error(`the hub sent kind ${view.kind}`)
    const text = decoder.decode(message.subarray(view.payloadStart, view.end))
    found.push({ from: view.peer, text, slot: view.slot })
    at = view.end
  }
  return found
}
