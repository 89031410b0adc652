import {
  type ClientMessage,
  type EnvelopeView,
  fromEnvelope,
  type InstanceId,
  type MemberInfo,
  type PeerId,
  parseClientMessage,
  readEnvelope,
  type ServerMessage,
} from '../../../signaling/protocol/index.ts'
import type { Carrier, CarrierEvents, OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import { RoomClock } from '../../../web/client/room-clock.ts'
import type { NetworkEvent } from '../../../web/client/uplink/network-events.ts'
import { Uplink, type UplinkEvents, type UplinkOptions, type Welcome } from '../../../web/client/uplink/uplink.ts'
import { FakeClock } from '../../support/fake-clock.ts'

export const ADA = 'a'.repeat(16) as PeerId
export const BOB = 'b'.repeat(16) as PeerId
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const member = (id: PeerId, more: Partial<MemberInfo> = {}): MemberInfo => ({
  id,
  instance: id.repeat(2) as InstanceId,
  profile: null,
  presence: 'here',
  ...more,
})

/** What the server allows, as its welcome says. */
export const LIMITS = {
  frameBytes: 65_536,
  packetBytes: 262_144,
  profileBytes: 4_096,
  membersPerRoom: 256,
  messagesPerSecond: 1_000,
  bytesPerSecond: 4_194_304,
}

/** The server's side of one carrier. The client's side ends with either close, and nothing comes after. */
export class FakeConnection implements Carrier {
  readonly kind = 'websocket'
  readonly texts: ClientMessage[] = []
  readonly packets: Uint8Array[] = []
  closedWith: number | undefined
  buffered = 0
  #isOpen = false
  readonly #events: CarrierEvents

  readonly #first: string

  constructor(
    first: string,
    events: CarrierEvents,
    readonly plain: boolean,
  ) {
    this.#first = first
    this.#events = events
  }

  send(message: string | Uint8Array): boolean {
    if (!this.#isOpen) return false
    if (typeof message === 'string') this.texts.push(parseClientMessage(message))
    else this.packets.push(message)
    return true
  }

  bufferedBytes(): number {
    return this.buffered
  }

  close(code: number): void {
    this.#isOpen = false
    this.closedWith ??= code
  }

  open(): this {
    this.#isOpen = true
    this.send(this.#first)
    this.#events.opened()
    return this
  }

  say(message: ServerMessage): void {
    this.sayRaw(JSON.stringify(message))
  }

  sayRaw(text: string): void {
    if (this.closedWith === undefined) this.#events.text(text)
  }

  bytes(bytes: Uint8Array): void {
    if (this.closedWith === undefined) this.#events.binary(bytes)
  }

  frame(from: PeerId, payload: Uint8Array): void {
    this.bytes(fromEnvelope(from, payload))
  }

  drop(code = 1006, reason = ''): void {
    if (this.closedWith !== undefined) return
    this.close(code)
    this.#events.closed(code, reason)
  }

  latest<Type extends ClientMessage['t']>(t: Type): Extract<ClientMessage, { t: Type }> {
    const found = this.texts.filter((message) => message.t === t).at(-1)
    if (found === undefined) throw new Error(`no ${t} was sent`)
    return found as Extract<ClientMessage, { t: Type }>
  }

  count(t: ClientMessage['t']): number {
    return this.texts.filter((message) => message.t === t).length
  }

  envelopes(): (EnvelopeView & { readonly payload: Uint8Array })[] {
    return this.packets.flatMap((packet) => {
      const found = []
      for (let at = 0; at < packet.length; ) {
        const envelope = readEnvelope(packet, at)
        found.push({ ...envelope, payload: packet.subarray(envelope.payloadStart, envelope.end) })
        at = envelope.end
      }
      return found
    })
  }
}

/** An uplink, its clock, its network and the connections it made, of which the last is the present one. */
export class Scene {
  readonly clock = new FakeClock()
  readonly roomClock = new RoomClock(this.clock, 0)
  readonly connections: FakeConnection[] = []
  readonly told: string[] = []
  readonly uplink: Uplink
  jitter = 0.5
  network: (event: NetworkEvent) => void = () => undefined

  constructor(options: Partial<UplinkOptions> = {}) {
    const open: OpenCarrier = (_server, first, events, _clock, plain) => {
      const connection = new FakeConnection(first, events, plain)
      this.connections.push(connection)
      return connection
    }
    this.uplink = new Uplink({
      server: new URL('http://server.test/'),
      room: 'lobby',
      profile: { name: 'Ada' },
      instance: '1'.repeat(32) as InstanceId,
      joinKey: '2'.repeat(32),
      open,
      clock: this.clock,
      roomClock: this.roomClock,
      random: () => this.jitter,
      network: {
        on: (handler) => {
          this.network = handler
          return () => {
            this.network = () => undefined
          }
        },
      },
      ...options,
    })
    this.uplink.on('state', (state) => this.told.push(state))
    this.uplink.on('welcome', ({ how }) => this.told.push(how))
    this.uplink.on('closed', (error) => this.told.push(`closed: ${error?.code}`))
  }

  get connection(): FakeConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('no connection yet')
    return connection
  }

  welcome(more: Partial<Welcome> = {}): void {
    this.connection.say({
      t: 'welcome',
      re: this.connection.latest('join').id,
      v: 1,
      peerId: ADA,
      token: 'token-1',
      tokenExpiresAtMs: this.clock.nowMs() + 3_600_000,
      resumed: false,
      room: 'lobby',
      epoch: 'first',
      version: 1,
      graceMs: 20_000,
      members: [],
      iceServers: [],
      iceExpiresAtMs: this.clock.nowMs() + 3_600_000,
      limits: LIMITS,
      timeMs: this.clock.nowMs(),
      ...more,
    })
  }

  /** Started, opened and welcomed. */
  online(more: Partial<Welcome> = {}): this {
    if (this.uplink.state === 'idle') this.uplink.start()
    this.connection.open()
    this.welcome(more)
    return this
  }

  /** The first ping, soon after the welcome, is answered at once. */
  measured(): this {
    this.clock.advance(100)
    this.pong()
    return this
  }

  pong(): void {
    this.connection.say({ t: 'pong', n: this.connection.latest('ping').n, timeMs: this.clock.nowMs() })
  }

  collect<Name extends keyof UplinkEvents>(name: Name): UplinkEvents[Name][] {
    const values: UplinkEvents[Name][] = []
    this.uplink.on(name, (value) => values.push(value))
    return values
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
