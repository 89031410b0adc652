/** A member of the real hub that keeps the wire's forms and no promise: it says what the test tells it to. */
import {
  type Address,
  CONTENT,
  decodeGreeting,
  encodeData,
  encodeGreeted,
  encodeGreeting,
  encodeLatest,
  encodeText,
  envelopeLength,
  FRAME,
  frameType,
  type InstanceId,
  LINK_CHANNEL,
  LINK_CHANNEL_NAME,
  type PeerId,
  readEnvelope,
  writeEnvelope,
} from '../../signaling/protocol/index.ts'
import type { Carrier, OpenCarrier } from '../../web/client/carriers/carrier.ts'
import type { Clock } from '../../web/client/clock.ts'
import { IndependentMember, type IndependentOptions } from './independent.ts'
import type { Handed, Shown, Told } from './malicious-server.ts'

export interface RawMemberOptions extends Omit<IndependentOptions, 'id' | 'instance'> {
  /** Of all in a test, another for each. */
  readonly number: number
  readonly instance?: string
  /** Instead of its own announcement. */
  readonly seal?: string
}

const CHAT = 1
const POSITIONS = 2
const SIGNED = 3
const UNSIGNED = 4

export class RawMember {
  readonly member: IndependentMember
  readonly instance: InstanceId
  readonly seal: string
  /** Who the server has shown. */
  readonly shown = new Map<PeerId, Shown>()
  /** Frames that it opened, by sender, and the records that came, opened or not. */
  readonly frames: { readonly from: PeerId; readonly frame: Buffer }[] = []
  readonly records: Handed[] = []
  /** Why something did not open. */
  readonly refused: string[] = []
  #carrier: Carrier | undefined
  #seq = 0
  #unicastSeq = 0
  #generation = 0

  constructor(
    private readonly options: RawMemberOptions,
    private readonly clock: Clock,
  ) {
    const instance = options.instance ?? options.number.toString(16).padStart(32, 'a')
    this.member = new IndependentMember({ x25519: true, ...options, id: '', instance })
    this.instance = this.member.announced.instance.toString('hex') as InstanceId
    this.seal = options.seal ?? this.member.announcement
  }

  get id(): PeerId {
    return this.member.id as PeerId
  }

  enter(open: OpenCarrier): void {
    const { instance, seal, options } = this
    const joinKey = options.number.toString(16).padStart(32, 'b')
    const { room, profile = null } = options
    const asks = { t: 'join', id: 1, vMin: 1, vMax: 1, room, profile }
    const events = {
      opened: () => {},
      closed: () => {},
      text: (text: string) => this.#told(JSON.parse(text) as Told),
      binary: (bytes: Uint8Array) => this.#packet(bytes),
    }
    this.#carrier = open(
      new URL('https://sim.example/'),
      JSON.stringify({ ...asks, instance, joinKey, seal }),
      events,
      this.clock,
      false,
    )
  }

  /** Joins again with another announcement, as a member that comes back does. */
  announceAgain(open: OpenCarrier, seal: string): void {
    this.#carrier?.close(1000, '')
    Object.assign(this, { seal })
    this.enter(open)
  }

  leave(): void {
    this.#carrier?.send(JSON.stringify({ t: 'leave', id: 2 }))
  }

  #told({ peerId, members, member, t }: Told): void {
    if (peerId !== undefined) this.member.id = peerId
    for (const one of [...(members ?? []), ...(t === 'joined' && member ? [member] : [])]) {
      if (one.id === this.id) continue
      this.shown.set(one.id, one)
      try {
        this.member.admit(one)
      } catch {
        this.refused.push('admission')
      }
    }
  }

  #packet(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      const view = readEnvelope(bytes, start)
      start = view.end
      if (view.peer !== undefined) this.take({ from: view.peer, payload: bytes.slice(view.payloadStart, view.end) })
    }
  }

  /** A record from the server, or from one that helps it. */
  take(handed: Handed): void {
    this.records.push(handed)
    const { from, payload } = handed
    if (!this.member.knows(from)) return
    try {
      const { frames, reply } = this.member.open(from, payload)
      if (reply !== undefined) this.send(from, reply)
      for (const frame of frames) {
        this.frames.push({ from, frame })
        if (frameType(frame) === FRAME.greet) this.#greeted(from, frame)
      }
    } catch (error) {
      this.refused.push(error instanceof Error ? error.message : String(error))
    }
  }

  #greeted(from: PeerId, frame: Uint8Array): void {
    const { generation } = decodeGreeting(frame)
    this.say(from, encodeGreeted(generation))
    this.say(from, this.greeting(generation))
  }

  /** Of a channel `chat`, a `latest` one, `positions`, and one that is signed, and not, `news`. */
  greeting(known = 0): Uint8Array {
    this.#generation ||= 1
    return encodeGreeting({
      generation: this.#generation,
      known,
      afterCut: false,
      instance: this.instance,
      delayMs: 20,
      uplinkRttMs: 40,
      starts: [0, 0, 0, 0],
      channels: [
        { channel: CHAT, ordinal: 0, name: 'm:chat' },
        { channel: POSITIONS, ordinal: 0, name: 'l:positions' },
        { channel: SIGNED, ordinal: 0, name: 's:news' },
        { channel: UNSIGNED, ordinal: 0, name: 'm:news' },
      ],
    })
  }

  /** Of a link that it begins once more, as if it knew nothing of who is greeted. */
  greetingAgain(): Uint8Array {
    this.#generation += 1
    return this.greeting()
  }

  /** The next line for the room. */
  line(n: number, seq = this.#seq): Uint8Array {
    this.#seq = seq + 1
    return lineFrame(n, seq)
  }

  /** The next frame for the room with a body of the signed channel `news`. */
  signedLine(ordinal: number, sent: number, body: Uint8Array): Uint8Array {
    const seq = this.#seq
    this.#seq += 1
    const head = { stream: 0, seq, channel: SIGNED, ordinal, opening: undefined, sent, number: 0 } as const
    return encodeData({ ...head, content: CONTENT.binary }, body)
  }

  /** The first frame for the room of the channel `news` that is not signed. */
  unsignedNews(n: number): Uint8Array {
    const seq = this.#seq
    this.#seq += 1
    const head = { stream: 0, seq, channel: UNSIGNED, ordinal: 0, opening: undefined, sent: 0, number: 0 } as const
    return encodeData({ ...head, content: CONTENT.json }, encodeText(JSON.stringify({ n })))
  }

  /** The next message of the link channel. To one member only: its numbers are counted once. */
  linkMessage(message: object): Uint8Array {
    const seq = this.#unicastSeq
    this.#unicastSeq += 1
    const opening = seq === 0 ? { name: LINK_CHANNEL_NAME, ordinal: 0 } : undefined
    const head = { stream: 2, seq, channel: LINK_CHANNEL, ordinal: seq, opening, sent: 0, number: seq } as const
    return encodeData({ ...head, content: CONTENT.json }, encodeText(JSON.stringify(message)))
  }

  /** Sealed as the document says, to members that have been greeted. */
  say(to: PeerId | readonly PeerId[], frame: Uint8Array): void {
    const ids = typeof to === 'string' ? [to] : to
    for (const record of this.member.seal(ids, frame)) {
      for (const id of record.to === undefined ? ids : [record.to]) this.send(id as PeerId, record.payload)
    }
  }

  /** Any bytes at all, to one or to all. */
  send(to: PeerId | undefined, payload: Uint8Array): void {
    const address: Address = to === undefined ? { kind: 'all' } : { kind: 'one', id: to }
    const packet = new Uint8Array(envelopeLength(address, payload.length, undefined))
    writeEnvelope(packet, 0, address, payload)
    this.#carrier?.send(packet)
  }

  /** What it could read, as text. */
  get text(): string {
    return this.frames.map(({ frame }) => frame.toString('latin1')).join('\n')
  }
}

/** A line of the channel `chat`, whose first is number 0. */
export const lineFrame = (n: number, seq: number, channel = CHAT): Uint8Array =>
  encodeData(
    { stream: 0, seq, channel, ordinal: seq, opening: undefined, content: CONTENT.json, sent: 0, number: 0 },
    encodeText(JSON.stringify({ n })),
  )

export const positionFrame = (value: number, counter: number): Uint8Array =>
  encodeLatest({
    audience: 'room',
    channel: POSITIONS,
    counter,
    sent: 0,
    key: '',
    content: CONTENT.json,
    body: encodeText(JSON.stringify(value)),
  })
