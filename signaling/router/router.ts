import { mayForward } from '../access/frame-rights.ts'
import type { Right } from '../protocol/access.ts'
import {
  ENVELOPE,
  ENVELOPE_BYTES,
  type EnvelopeView,
  isPlainOne,
  peerOffset,
  readEnvelope,
  stampSender,
} from '../protocol/envelope.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { type IdWords, type PeerId, peerIdAt, wordAt } from '../protocol/ids.ts'
import { broken } from '../refusal.ts'
import type { DropReports } from './drop-reports.ts'
import type { Outlet } from './outlet.ts'
import { Parcel } from './parcel.ts'
import { RoomTopic } from './room-topic.ts'
import type { Turns } from './turns.ts'

/** A member as the router sees it. */
export interface Receiver extends IdWords {
  readonly id: PeerId
  /** Not set while the member is away. */
  readonly outlet: Outlet | undefined
  /** Scratch of the router: the last frame this member was marked for. */
  mark: number
}

export interface Sender extends Receiver {
  /** Everyone a frame of this member may reach: the members of its room. */
  readonly reach: ReadonlyMap<PeerId, Receiver>
  /** Another number whenever `reach`, or an outlet in it, is another. */
  readonly reachChanges: number
  /** Scratch of the router: who was spoken to last, and `reachChanges` then. */
  spokeTo: Receiver | undefined
  spokeAt: number
  readonly dropReports: DropReports
  /** Undefined: whatever it sends is forwarded. Else only what these allow. */
  readonly forwardRights: ReadonlySet<Right> | undefined
  /** It announced keys: its frames are sealed, or nobody takes them. */
  readonly sealed: boolean
  /** It wants this kept. Bytes are lent for the call. @throws ProtocolError when it is no record */
  store(record: Uint8Array): void
}

/** What went through, since the start. */
export interface Traffic {
  /** Frames received from members. */
  frames: number
  frameBytes: number
  /** Frames handed on, counted for each receiver. */
  deliveries: number
  /** Messages written to uplinks, of both kinds. */
  writes: number
  droppedSlow: number
  droppedAbsent: number
  /** Frames whose senders had no right to send them. */
  droppedDenied: number
  /** Droppable frames that were to wait, and gave way to a newer one of their slot or to one that is not droppable. */
  droppedReplaced: number
}

export const newTraffic = (): Traffic => ({
  frames: 0,
  frameBytes: 0,
  deliveries: 0,
  writes: 0,
  droppedSlow: 0,
  droppedAbsent: 0,
  droppedDenied: 0,
  droppedReplaced: 0,
})

/** Below so many members one call for all is no cheaper than one for each. */
const TOPIC_MEMBERS = 8
/** What taking one frame apart costs, measured in deliveries. */
const FRAME_WORK = 4
/** What keeping a record costs, some 40 µs, measured likewise: with what 4 MB/s bring of small ones, one member takes a core. */
const RECORD_WORK = 1_000
const SLOT_BYTES = 4

/** What the envelope at `start` says its payload's length is, 0 when it has no whole header. */
function payloadBytes(bytes: Uint8Array, start: number): number {
  if (start + ENVELOPE_BYTES > bytes.length) return 0
  const high = bytes[start + 4] as number
  const low = ((bytes[start + 5] as number) << 16) | ((bytes[start + 6] as number) << 8) | (bytes[start + 7] as number)
  return high * 0x100_0000 + low
}

/**
 * Turn any envelope of a client into `from sender`, in place, and return where that begins. The ids of `several` and
 * `except` lie between header and payload, so the new header is written over the last of them.
 */
function stamp(bytes: Uint8Array, envelope: EnvelopeView, sender: IdWords): number {
  const start = envelope.payloadStart - (envelope.slot === undefined ? 0 : SLOT_BYTES) - ENVELOPE_BYTES
  if (start !== envelope.start) {
    const flags = bytes[envelope.start + 1] as number
    const length = envelope.end - envelope.payloadStart
    bytes[start + 1] = flags
    bytes[start + 2] = 0
    bytes[start + 3] = 0
    bytes[start + 4] = length >>> 24
    bytes[start + 5] = length >>> 16
    bytes[start + 6] = length >>> 8
    bytes[start + 7] = length
  }
  stampSender(bytes, start, sender)
  return start
}

/** Takes the binary messages of members apart and offers each frame to those it is addressed to. */
export class Router {
  readonly #frameBytes: number
  readonly #gatherFrameBytes: number
  readonly #traffic: Traffic
  readonly #turns: Pick<Turns, 'quiet' | 'stretch' | 'passed' | 'came'>
  readonly #topics = new WeakMap<object, RoomTopic>()
  #topicsMade = 0
  #frame = 0
  #work = 0

  constructor(
    limits: { readonly frameBytes: number; readonly gatherFrameBytes: number },
    traffic: Traffic,
    turns: Pick<Turns, 'quiet' | 'stretch' | 'passed' | 'came'>,
  ) {
    this.#frameBytes = limits.frameBytes
    this.#gatherFrameBytes = limits.gatherFrameBytes
    this.#traffic = traffic
    this.#turns = turns
  }

  /**
   * Forward all envelopes of one message, which came at `nowMs`. `bytes` are changed in place, and not kept. Returns
   * the work that was, in deliveries: attempted ones count, too.
   * @throws ProtocolError on a malformed envelope, Refusal `too-large` on one with too large a payload; those before it have been forwarded, those behind have not
   */
  forward(sender: Sender, bytes: Uint8Array, nowMs: number): number {
    this.#turns.came(nowMs)
    if (this.#passed(sender, bytes)) return FRAME_WORK
    const parcel = new Parcel(bytes)
    this.#work = 0
    try {
      for (let at = 0; at < bytes.length; ) {
        if (payloadBytes(bytes, at) > this.#frameBytes) {
          throw broken('too-large', `envelope.length: expected at most ${this.#frameBytes} bytes`)
        }
        const envelope = readEnvelope(bytes, at, this.#frameBytes, true)
        this.#one(sender, parcel, envelope)
        at = envelope.end
      }
    } finally {
      parcel.settle()
    }
    return this.#work
  }

  /**
   * Most messages are one frame to one member for whom nothing waits: handed on with nothing made for it, to the same
   * effect as below. False, and nothing done, where it is another.
   */
  #passed(sender: Sender, bytes: Uint8Array): boolean {
    const payload = bytes.length - ENVELOPE_BYTES
    if (!isPlainOne(bytes) || payload > this.#frameBytes || sender.forwardRights !== undefined) return false
    const receiver = this.#named(sender, bytes, peerOffset(0))
    if (typeof receiver === 'string' || receiver.outlet?.idle !== true) return false
    this.#frame += 1
    this.#traffic.frames += 1
    this.#traffic.frameBytes += payload
    this.#traffic.deliveries += 1
    stampSender(bytes, 0, sender)
    receiver.outlet.pass(bytes)
    return true
  }

  #one(sender: Sender, parcel: Parcel, envelope: EnvelopeView): void {
    const { kind, end, slot, ids } = envelope
    if (kind === ENVELOPE.from) throw new ProtocolError('envelope.kind', 'from is for the server to send')
    this.#frame += 1
    this.#traffic.frames += 1
    this.#traffic.frameBytes += end - envelope.payloadStart
    this.#work += FRAME_WORK + ids.length
    if (kind === ENVELOPE.store) {
      if (slot !== undefined) throw new ProtocolError('envelope.flags', 'a record is not droppable')
      this.#work += RECORD_WORK
      sender.store(parcel.bytes.subarray(envelope.payloadStart, end))
      return
    }
    if (kind === ENVELOPE.all || kind === ENVELOPE.except) this.#work += sender.reach.size
    const { forwardRights } = sender
    if (forwardRights !== undefined && !mayForward(forwardRights, parcel.bytes, envelope.payloadStart, sender.sealed)) {
      this.#traffic.droppedDenied += 1
      if (slot === undefined) sender.dropReports.add(undefined, 'denied', this.#frame)
      return
    }
    // Before the new header is written over it.
    const receiver = kind === ENVELOPE.one ? this.#named(sender, parcel.bytes, peerOffset(envelope.start)) : undefined
    const start = stamp(parcel.bytes, envelope, sender)
    // Marked members are passed over: nobody gets a frame twice, and nobody gets its own.
    sender.mark = this.#frame
    if (receiver !== undefined) {
      if (typeof receiver === 'string') this.#deliverTo(receiver, sender, parcel, start, end, slot)
      else this.#deliver(receiver, sender, parcel, start, end, slot)
      return
    }
    if (kind === ENVELOPE.several) {
      for (const id of ids) this.#deliverTo(id, sender, parcel, start, end, slot)
      return
    }
    if (ids.length === 0 && this.#published(sender, parcel, start, end, slot)) return
    for (const id of ids) {
      const excepted = sender.reach.get(id)
      if (excepted !== undefined) excepted.mark = this.#frame
    }
    for (const receiver of sender.reach.values()) {
      if (receiver.mark !== this.#frame) this.#deliver(receiver, sender, parcel, start, end, slot)
    }
  }

  /** To all in one call, where that overtakes nothing; false when it has to be one by one. */
  #published(sender: Sender, parcel: Parcel, start: number, end: number, slot: number | undefined): boolean {
    const { reach, outlet } = sender
    const size = end - start
    // What is in the same message for one of them has to leave with it.
    if (reach.size < TOPIC_MEMBERS || !parcel.holds(end) || size >= this.#gatherFrameBytes) return false
    if (outlet === undefined || !this.#turns.quiet) return false
    const topic = this.#topicOf(reach)
    const apart = topic.apartFrom(sender, size)
    if (apart === undefined) return false
    const first = topic.publish(outlet, parcel.view(start, end), this.#turns.stretch)
    const deliveries = reach.size - 1 - apart.length
    this.#traffic.deliveries += deliveries
    this.#traffic.writes += deliveries
    this.#turns.passed(deliveries, first ? deliveries : 0)
    for (const receiver of apart) this.#deliver(receiver, sender, parcel, start, end, slot)
    return true
  }

  #topicOf(reach: Sender['reach']): RoomTopic {
    const known = this.#topics.get(reach)
    if (known !== undefined) return known
    this.#topicsMade += 1
    const made = new RoomTopic(String(this.#topicsMade), reach)
    this.#topics.set(reach, made)
    return made
  }

  /** The member whom the id there names, or the id. Most speak to the same one again, who is found without its name. */
  #named(sender: Sender, bytes: Uint8Array, at: number): Receiver | PeerId {
    const last = sender.spokeTo
    if (last !== undefined && last.idLow === wordAt(bytes, at + 4) && last.idHigh === wordAt(bytes, at)) {
      if (sender.spokeAt === sender.reachChanges) return last
    }
    const id = peerIdAt(bytes, at)
    const receiver = sender.reach.get(id)
    if (receiver === undefined || receiver === sender) return id
    sender.spokeTo = receiver
    sender.spokeAt = sender.reachChanges
    return receiver
  }

  #deliverTo(id: PeerId, sender: Sender, parcel: Parcel, start: number, end: number, slot: number | undefined): void {
    const receiver = sender.reach.get(id)
    if (receiver === undefined || receiver === sender) {
      if (slot === undefined) this.#absent(id, sender)
    } else if (receiver.mark !== this.#frame) {
      receiver.mark = this.#frame
      this.#deliver(receiver, sender, parcel, start, end, slot)
    }
  }

  #deliver(
    receiver: Receiver,
    sender: Sender,
    parcel: Parcel,
    start: number,
    end: number,
    slot: number | undefined,
  ): void {
    if (receiver.outlet === undefined) {
      if (slot === undefined) this.#absent(receiver.id, sender)
    } else if (receiver.outlet.offer(parcel, start, end, sender.id, slot)) {
      this.#traffic.deliveries += 1
    } else {
      this.#traffic.droppedSlow += 1
      // Droppable frames are not reported: nobody sends them again.
      if (slot === undefined) sender.dropReports.add(receiver.id, 'slow', this.#frame)
    }
  }

  #absent(id: PeerId, sender: Sender): void {
    this.#traffic.droppedAbsent += 1
    sender.dropReports.add(id, 'absent', this.#frame)
  }
}
