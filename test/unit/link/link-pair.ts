/** Two ends of a link, each with its outbox, over a relay and paths under one clock. */
import {
  CONTENT,
  decodeText,
  encodeText,
  type FrameType,
  frameType,
  type InstanceId,
  type LinkMessage,
  type PeerId,
} from '../../../signaling/protocol/index.ts'
import { Outbox } from '../../../web/client/delivery/outbox.ts'
import type { OutgoingMessage } from '../../../web/client/delivery/outgoing-message.ts'
import { ReceiveBudget } from '../../../web/client/delivery/receive-budget.ts'
import { Link } from '../../../web/client/link/link.ts'
import { WatchedPath } from '../../../web/client/link/watched-path.ts'
import type { DirectPath, PathLane } from '../../../web/client/paths/path.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const RELAY_MS = 20
const DIRECT_MS = 5

export class Side {
  readonly outbox: Outbox
  readonly heard: string[] = []
  readonly signals: LinkMessage[] = []
  readonly events: string[] = []
  /** Frames that the relay swallows. */
  drops: (frame: Uint8Array) => boolean = () => false
  reads = true
  ackDelayMs = 20
  /** The relay takes nothing. */
  full = false
  link: Link
  other: Side | undefined
  #generation = 0
  #tag = 0
  /** Frames handed to the relay, by type. */
  readonly relayed: FrameType[] = []

  constructor(
    readonly pair: LinkPair,
    readonly id: string,
    readonly otherId: string,
    firstSeq: number,
  ) {
    this.outbox = new Outbox({
      instance: this.#instance(id),
      now: () => pair.clock.now(),
      firstSeq: () => firstSeq,
      broadcast: (_lane, frame) => this.#relay(frame),
      sent: () => this.link.arm(),
      lagging: () => this.link.cut(),
    })
    this.outbox.openChannel('link')
    this.outbox.open()
    this.link = this.#make(false)
  }

  #instance(id: string): InstanceId {
    return id.charCodeAt(0).toString(16).padStart(32, '0') as InstanceId
  }

  #relay(frame: Uint8Array): boolean {
    if (this.full) return false
    this.relayed.push(frameType(frame))
    if (this.drops(frame)) return true
    this.pair.clock.setTimeout(() => this.other?.link.receive(frame.slice(), undefined), RELAY_MS)
    return true
  }

  #make(again: boolean): Link {
    const { pair, id } = this
    const budget = new ReceiveBudget()
    return new Link(
      {
        id: this.otherId as PeerId,
        instance: this.#instance(this.otherId),
        profile: null,
        presence: 'here',
      } as ConstructorParameters<typeof Link>[0],
      {
        clock: pair.clock,
        random: () => 0.5,
        instance: this.#instance(id),
        outbox: this.outbox,
        budget,
        nextTag: () => this.nextTag(),
        nextGeneration: () => {
          this.#generation += 1
          return this.#generation
        },
        firstSeq: () => 100 + this.#generation,
        relay: (_to, frame) => this.#relay(frame),
        uplinkRttMs: () => 2 * RELAY_MS,
        suspectUplink: () => this.events.push('suspect uplink'),
        ackDelayMs: () => this.ackDelayMs,
        maxLagMs: () => 20_000,
        message: (_link, { body }) => {
          if (this.reads) this.heard.push(decodeText(body.subarray(0, 20)))
          return this.reads
        },
        latest: (_link, name) => this.events.push(`latest ${name}`),
        linkMessage: (_link, message) => this.signals.push(message),
        changed: ({ path }) => this.events.push(`path ${path}`),
        bulkWaits: () => this.events.push('bulk waits'),
        reached: () => this.events.push('reached'),
        cutOff: () => this.events.push('cut off'),
        gap: () => this.events.push('gap'),
        forgotten: () => {
          this.events.push('forgotten')
          this.relink('left')
        },
        gaveUp: (_link, { path }) => {
          this.events.push('gave up')
          path.close()
        },
        proven: () => this.events.push('proven'),
      },
      again,
    )
  }

  nextTag(): number {
    this.#tag += 1
    return this.#tag
  }

  /** The member has gone, and is here again. */
  relink(reason: 'left'): void {
    this.link.end(reason)
    this.outbox.remove(this.otherId as PeerId)
    this.link = this.#make(true)
    this.begin()
  }

  begin(): void {
    this.outbox.add(this.link.sender)
    this.link.setRelay(true, false)
  }

  send(text: string | number, channel = 'm:chat'): OutgoingMessage {
    return this.outbox.send(this.outbox.openChannel(channel), CONTENT.text, encodeText(String(text)), 0)
  }

  signal(text: string): OutgoingMessage {
    const channel = this.outbox.openChannel('link')
    return this.outbox.send(channel, CONTENT.json, encodeText(text), 0, this.otherId as PeerId, 0)
  }
}

/** One end of a peer connection. */
class PathEnd implements DirectPath {
  readonly attempt = 1
  kind: DirectPath['kind'] = 'direct'
  full = false
  watched: WatchedPath | undefined
  other: PathEnd | undefined
  dark = false
  sent = 0
  /** Types of the frames handed to each lane. */
  readonly types = new Map<PathLane, FrameType[]>()
  /** What has not left: while it is there, `small` is busy. */
  #waiting: Uint8Array[] | undefined
  #writtenBytes = 0

  constructor(
    readonly pair: LinkPair,
    readonly side: Side,
  ) {}

  send(lane: PathLane, frame: Uint8Array): boolean {
    if (this.full && lane === 'bulk') return false
    this.sent += 1
    this.types.set(lane, [...(this.types.get(lane) ?? []), frameType(frame)])
    if (lane === 'small') this.#writtenBytes += frame.length
    if (lane !== 'small' || this.#waiting === undefined) this.#leave(frame)
    else this.#waiting.push(frame.slice())
    return true
  }

  /** Something large, or a slow way, keeps `small` busy for so long. */
  busy(ms: number): void {
    this.#waiting = []
    this.pair.clock.setTimeout(() => {
      const waiting = this.#waiting ?? []
      this.#waiting = undefined
      for (const frame of waiting) this.#leave(frame)
    }, ms)
  }

  #leave(frame: Uint8Array): boolean {
    const { other } = this
    if (this.dark || other === undefined) return true
    const copy = frame.slice()
    this.pair.clock.setTimeout(() => {
      if (!this.dark) other.side.link.receive(copy, other.watched)
    }, DIRECT_MS)
    return true
  }

  bufferedBytes(lane: PathLane): number {
    return lane === 'small' ? (this.#waiting ?? []).reduce((bytes, { length }) => bytes + length, 0) : 0
  }

  writtenBytes(lane: PathLane): number {
    return lane === 'small' ? this.#writtenBytes : 0
  }

  statistics(): never {
    throw new Error('nobody asks')
  }

  close(): void {
    if (this.watched !== undefined) this.side.link.removePath(this.watched)
  }
}

export class LinkPair {
  readonly clock = new FakeClock()
  readonly ada: Side
  readonly bob: Side

  constructor({ firstSeq = 0, begin = true } = {}) {
    this.ada = new Side(this, 'ada', 'bob', firstSeq)
    this.bob = new Side(this, 'bob', 'ada', firstSeq)
    this.ada.other = this.bob
    this.bob.other = this.ada
    if (!begin) return
    this.ada.begin()
    this.bob.begin()
  }

  /** A peer connection opens; `beside`: one for bulk alone. */
  connect(beside = false): readonly [PathEnd, PathEnd] {
    const ends = [new PathEnd(this, this.ada), new PathEnd(this, this.bob)] as const
    ends[0].other = ends[1]
    ends[1].other = ends[0]
    for (const end of ends) {
      end.watched = new WatchedPath(end, end.side.nextTag(), this.clock.now(), beside)
      end.side.link.addPath(end.watched)
    }
    return ends
  }
}
