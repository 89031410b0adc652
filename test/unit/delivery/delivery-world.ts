/** A sender's outbox and the members that hear it, over paths that do what a test says. Nothing moves by itself. */
import {
  CONTENT,
  decodeAck,
  decodePiece,
  decodeText,
  encodeAck,
  encodeText,
  type InstanceId,
  type PeerId,
} from '../../../signaling/protocol/index.ts'
import { LinkReceiver } from '../../../web/client/delivery/link-receiver.ts'
import { LinkSender } from '../../../web/client/delivery/link-sender.ts'
import { Outbox } from '../../../web/client/delivery/outbox.ts'
import type { OutgoingMessage } from '../../../web/client/delivery/outgoing-message.ts'
import type { Outlet } from '../../../web/client/delivery/outlet.ts'
import { ReceiveBudget } from '../../../web/client/delivery/receive-budget.ts'
import { FakeOutlet } from './fake-outlet.ts'

export const ACK_DELAY_MS = 20

export class Member {
  readonly id: PeerId
  readonly sender: LinkSender
  readonly heard: string[] = []
  readonly overdue: number[] = []
  readonly relayLosses: boolean[] = []
  asked = 0
  /** By which outlet bulk goes, instead of the one in use. */
  bulkOutletOf: (inUse: Outlet) => Outlet = (inUse) => inUse
  /** How often it had to wait. */
  bulkWaits = 0
  /** The relay's outlet, for hedging. */
  relay: FakeOutlet | undefined
  /** Whether the application takes messages. */
  reads = true
  receiver: LinkReceiver

  constructor(
    readonly world: DeliveryWorld,
    id: string,
    readonly outlet: FakeOutlet | undefined,
  ) {
    this.id = id as PeerId
    const [small, bulk] = world.outbox.roomStreams
    this.sender = new LinkSender(this.id, small, bulk, world.firstSeq, {
      relay: () => this.relay,
      overdue: ({ tag }) => this.overdue.push(tag),
      relayLoss: (overdue) => this.relayLosses.push(overdue),
      bulkOutlet: (inUse) => this.bulkOutletOf(inUse),
      bulkWaits: () => {
        this.bulkWaits += 1
      },
      progress: () => {
        world.outbox.trimUnicast(this.sender)
        world.outbox.acknowledged(this.sender)
      },
      askForAck: () => {
        this.asked += 1
      },
    })
    this.receiver = this.greet()
    world.outbox.add(this.sender)
    this.sender.setOutlet(outlet)
  }

  /** Hear of where streams start now. */
  greet(generation = 1): LinkReceiver {
    const { world } = this
    this.receiver = new LinkReceiver(
      {
        generation,
        known: 0,
        afterCut: generation > 1,
        instance: 'f'.repeat(32) as InstanceId,
        delayMs: ACK_DELAY_MS,
        uplinkRttMs: 0,
        starts: this.sender.starts(),
        channels: world.outbox.channelTable(),
      },
      world.budget,
      {
        message: ({ body }) => {
          if (this.reads) this.heard.push(decodeText(body.subarray(0, 20)))
          return this.reads
        },
      },
    )
    return this.receiver
  }

  /** These frames arrive. Returns what became of each. */
  arrive(frames: readonly Uint8Array[]): string[] {
    return frames.map((frame) => this.receiver.take(decodePiece(frame), this.world.nowMs))
  }

  /** The acknowledgement that is due, as bytes. */
  ack(all = false): Uint8Array {
    if (all) this.receiver.wantAck(true)
    return encodeAck(this.receiver.takeAck(this.world.nowMs, ACK_DELAY_MS))
  }

  acknowledged(ack: Uint8Array = this.ack()): void {
    this.sender.acknowledge(decodeAck(ack), this.world.nowMs)
  }

  /** Frames arrive and are acknowledged until none move. */
  settle(): void {
    for (let round = 0; round < 1_000; round += 1) {
      const frames = this.outlet?.take() ?? []
      if (frames.length === 0) return
      this.arrive(frames)
      this.acknowledged()
    }
    throw new Error('it never settles')
  }

  /** Time passes, and the sender's timers with it. */
  pass(ms: number, stepMs = 10): void {
    for (const endMs = this.world.nowMs + ms; this.world.nowMs < endMs; ) {
      this.world.nowMs += stepMs
      this.sender.check(this.world.nowMs)
    }
  }
}

export class DeliveryWorld {
  nowMs = 1_000
  readonly budget: ReceiveBudget
  readonly outbox: Outbox
  readonly members: Member[] = []
  readonly cut: PeerId[] = []
  readonly broadcasts: PeerId[][] = []
  readonly firstSeq: () => number
  readonly #link

  constructor({ firstSeq = 0, receiveBytes = 16_777_216 } = {}) {
    this.firstSeq = () => firstSeq
    this.budget = new ReceiveBudget(receiveBytes)
    this.outbox = new Outbox({
      instance: 'e'.repeat(32) as InstanceId,
      now: () => this.nowMs,
      firstSeq: this.firstSeq,
      broadcast: (lane, frame, to) => {
        this.broadcasts.push([...to])
        return this.members.filter(({ id }) => to.includes(id)).every(({ outlet }) => outlet?.send(lane, frame))
      },
      sent: () => {},
      lagging: ({ member }) => this.cut.push(member),
    })
    this.#link = this.outbox.openChannel('link')
    this.outbox.open()
  }

  /** What the room's streams keep. */
  get retainedBytes(): number {
    const [small, bulk] = this.outbox.roomStreams
    return small.retainedBytes + bulk.retainedBytes
  }

  member(id: string, kind: 'direct' | 'relay' = 'direct'): Member {
    const member = new Member(this, id, new FakeOutlet(this.members.length + 1, kind))
    this.budget.links += 1
    this.members.push(member)
    return member
  }

  send(text: string | number, { channel = 'm:chat', to }: { channel?: string; to?: Member } = {}): OutgoingMessage {
    return this.sendBytes(encodeText(String(text)), channel, to)
  }

  sendBytes(body: Uint8Array, channel = 'm:chat', to?: Member): OutgoingMessage {
    const number = to === undefined ? undefined : 7
    return this.outbox.send(this.outbox.openChannel(channel), CONTENT.text, body, 0, to?.id, number)
  }

  /** On the link's own channel, as signals are. */
  signal(text: string, to: Member): OutgoingMessage {
    return this.outbox.send(this.#link, CONTENT.json, encodeText(text), 0, to.id, 0)
  }
}

/** What a promise has resolved to by now. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<T | 'pending' | { readonly rejected: string }> {
  const rejected = (error: unknown): { rejected: string } => ({ rejected: (error as { code: string }).code })
  return Promise.race([
    promise.catch(rejected),
    Promise.resolve().then(async () => {
      for (let turn = 0; turn < 5; turn += 1) await undefined
      return 'pending' as const
    }),
  ])
}
