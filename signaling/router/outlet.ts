import type { Clock } from '../clock.ts'
import type { HubOptions } from '../limits/hub-options.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { PeerId } from '../protocol/ids.ts'
import type { Uplink } from '../uplink.ts'
import type { Parcel, Settling } from './parcel.ts'
import type { RoomTopic } from './room-topic.ts'
import { StallWatch } from './stall-watch.ts'
import type { TurnMember, Turns } from './turns.ts'
import { type News, WaitingQueue } from './waiting.ts'

/** Shared by all outlets: there is one for every connection, so each holds as little as it can. */
export interface OutletDependencies {
  readonly clock: Clock
  readonly turns: Turns
  readonly options: HubOptions
  /** Counts for all receivers together. */
  readonly traffic: { writes: number; droppedReplaced: number }
}

export interface OutletOwner {
  readonly uplink: Pick<Uplink, 'send' | 'queuedBytes' | 'topics' | 'close'>
  /** This receiver does not read: close it. */
  stalled(why: string): void
  /** The carrier has closed, which it is about to say. */
  closed(): void
}

/**
 * The way to one receiver, in which frames and control messages keep their order.
 *
 * - Idle (nothing written in this turn, nothing waits): written at once, without copying.
 * - Gathering (something was written in this turn): copied, and written with the others when the turn ends.
 * - Blocked (the carrier has not got rid of the last write): waits here, where droppable frames can be replaced, until
 *   the carrier has drained. Over `slowReaderBytes`, droppable frames make room for others; then frames are refused.
 *
 * All frames of one incoming message to this receiver leave in one write: `offer` notes the run of bytes, `settle`
 * acts on it.
 */
export class Outlet implements Settling, TurnMember {
  readonly #dependencies: OutletDependencies
  readonly #owner: OutletOwner
  /** Made when it is first needed, as the next: most receivers are idle. */
  #waiting: WaitingQueue | undefined
  #watch: StallWatch | undefined
  #blocked = false
  #closed = false
  /** Its frames reach this receiver without coming by here; so nothing may wait here. */
  #hears: { readonly room: RoomTopic; readonly topic: string } | undefined
  /** The turn in which frames were written last. */
  #writtenInTurn = -1
  /** The stretch of `Turns` in which it got anything last. */
  #stretch = -1
  #inTurn = false
  /** The incoming message of which a part is for us, and that part; `#runEnd` 0 says there is none. */
  #parcel: Parcel | undefined
  #runStart = 0
  #runEnd = 0

  constructor(dependencies: OutletDependencies, owner: OutletOwner) {
    this.#dependencies = dependencies
    this.#owner = owner
  }

  /**
   * One frame for this receiver: these bytes of `parcel`. A frame with a slot is droppable.
   * False when it is dropped because too much waits already.
   */
  offer(parcel: Parcel, start: number, end: number, sender: PeerId, slot: number | undefined): boolean {
    if (this.#closed) return false
    if (this.#blocked) {
      this.#keepRun()
      return this.#keep(parcel.bytes, start, end, sender, slot)
    }
    if (this.#parcel !== parcel) {
      this.#parcel = parcel
      parcel.offeredTo(this)
    }
    if (this.#runEnd === start && start !== 0) {
      this.#runEnd = end
      return true
    }
    this.#keepRun()
    this.#runStart = start
    this.#runEnd = end
    return true
  }

  /** Whether what is written now is the first in this turn, and overtakes nothing. */
  get idle(): boolean {
    return (
      !this.#closed &&
      !this.#blocked &&
      this.#parcel === undefined &&
      this.#writtenInTurn !== this.#dependencies.turns.current &&
      this.#nothingWaits
    )
  }

  /** A whole message with one frame, for this receiver only, which is `idle`: as `offer` and `settle`. */
  pass(bytes: Uint8Array): void {
    this.#writtenInTurn = this.#dependencies.turns.current
    this.write(bytes)
    this.#delivered()
  }

  /** The incoming message has been read; its bytes go away after this. */
  settle(): void {
    const parcel = this.#parcel
    if (parcel === undefined) return
    const { turns, options } = this.#dependencies
    const size = this.#runEnd - this.#runStart
    const now = !this.#blocked && (this.#writtenInTurn !== turns.current || size >= options.gatherFrameBytes)
    if (now && this.#nothingWaits && this.#runEnd > 0) {
      const view = parcel.view(this.#runStart, this.#runEnd)
      this.#runEnd = 0
      this.#writtenInTurn = turns.current
      this.write(view)
    } else {
      this.#keepRun()
      if (now) this.#flush()
      else if (!this.#blocked && !this.#inTurn && !this.#nothingWaits) {
        this.#inTurn = true
        turns.add(this)
      }
    }
    this.#parcel = undefined
    this.#delivered()
  }

  #delivered(): void {
    const { turns } = this.#dependencies
    const first = this.#stretch !== turns.stretch
    this.#stretch = turns.stretch
    turns.delivered(first)
  }

  /** See to it that this receiver hears what is published to the room. False when it cannot: it stands apart. */
  hear(room: RoomTopic, topic: string): boolean {
    if (this.#closed || this.#blocked) return false
    const { uplink } = this.#owner
    if (this.#hears !== undefined) {
      if (uplink.queuedBytes() === 0) return true
      this.#block()
      return false
    }
    if (uplink.topics === undefined || uplink.queuedBytes() > 0) return false
    uplink.topics.subscribe(topic)
    this.#hears = { room, topic }
    return true
  }

  hears(room: RoomTopic): boolean {
    return this.#hears?.room === room
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.#owner.uplink.topics?.publish(topic, bytes)
  }

  turnEnded(): void {
    this.#inTurn = false
    if (this.#blocked || this.#nothingWaits) return
    this.#flush()
    // What was just written counts for the turn that begins, which under load has to end, too.
    this.#dependencies.turns.delivered(false)
  }

  /**
   * A control message, behind everything accepted before. Always delivered, or the uplink is closed; but what waits of
   * the same news becomes short, and is forgotten when too much waits.
   */
  control(text: string, news?: News): void {
    if (this.#closed) return
    this.#keepRun()
    if (!this.#blocked && !this.#nothingWaits) this.#flush()
    if (this.#closed) return
    if (!this.#blocked) {
      this.write(text)
      return
    }
    const waiting = this.#queue()
    waiting.addControl(text, news)
    const { controlBacklogBytes } = this.#dependencies.options
    if (waiting.controlBytes > controlBacklogBytes) waiting.dropOld()
    if (waiting.controlBytes > controlBacklogBytes) {
      this.#owner.stalled('too many control messages wait')
    }
  }

  /** The carrier has got rid of what it had. */
  drained(): void {
    // A carrier may say so early; the watch asks again.
    if (this.#closed || this.#owner.uplink.queuedBytes() > this.#dependencies.options.packetBytes) return
    this.#blocked = false
    this.#flush()
  }

  /**
   * Say `texts`, and close. What waits goes first unless the carrier is blocked: then it is forgotten, since whoever comes
   * back gets what it missed. Who is removed does not come back, and is told all.
   */
  close(texts: readonly string[], code: number, reason: string): void {
    if (this.#closed) return
    this.#keepRun()
    if (!this.#blocked) this.#flush()
    if (code === CLOSE.removed) this.#waiting?.drain({ write: (message) => this.#last(message) })
    this.discard()
    for (const text of texts) this.#owner.uplink.send(text)
    this.#owner.uplink.close(code, reason)
  }

  /** Its queue has room for all that may wait here. */
  #last(message: string | Uint8Array): boolean {
    this.#dependencies.traffic.writes += 1
    const result = this.#owner.uplink.send(message)
    return result === 'sent' || result === 'queued'
  }

  /** The uplink is gone. */
  discard(): void {
    this.#closed = true
    this.#runEnd = 0
    this.#waiting?.clear()
    this.#watch?.stop()
  }

  /** Copy the noted run behind what waits. */
  #keepRun(): void {
    if (this.#runEnd === 0 || this.#parcel === undefined) return
    const start = this.#runStart
    const end = this.#runEnd
    this.#runEnd = 0
    if (this.#closed) return
    const waiting = this.#queue()
    if (!this.#blocked && !waiting.fits(end - start)) this.#flush()
    waiting.addFrames(this.#parcel.bytes, start, end)
  }

  #keep(bytes: Uint8Array, start: number, end: number, sender: PeerId, slot: number | undefined): boolean {
    const mostBytes = this.#dependencies.options.slowReaderBytes - this.#owner.uplink.queuedBytes()
    const { traffic } = this.#dependencies
    const waiting = this.#queue()
    if (slot !== undefined) {
      const became = waiting.addDroppable(bytes, start, end, sender, slot, mostBytes)
      if (became === 'replaced') traffic.droppedReplaced += 1
      return became !== 'full'
    }
    if (waiting.bytes + end - start > mostBytes) traffic.droppedReplaced += waiting.dropDroppable()
    if (waiting.bytes + end - start > mostBytes) return false
    waiting.addFrames(bytes, start, end)
    return true
  }

  get #nothingWaits(): boolean {
    return this.#waiting === undefined || this.#waiting.empty
  }

  #queue(): WaitingQueue {
    this.#waiting ??= new WaitingQueue(this.#dependencies.options.packetBytes)
    return this.#waiting
  }

  #flush(): void {
    this.#writtenInTurn = this.#dependencies.turns.current
    this.#waiting?.drain(this)
  }

  /** Hand a message to the carrier, for `WaitingQueue`, too. Whether more may follow at once. */
  write(message: string | Uint8Array): boolean {
    if (this.#closed) return false
    this.#dependencies.traffic.writes += 1
    const result = this.#owner.uplink.send(message)
    if (result === 'sent') return true
    if (result === 'closed') this.#owner.closed()
    // A carrier takes whatever we give it when it is not blocked, so this means that it is broken.
    else if (result === 'dropped') {
      this.#blocked = true
      this.#owner.stalled('the carrier refused a message')
    } else this.#block()
    return false
  }

  /** The carrier has not got rid of what it was given. */
  #block(): void {
    this.#blocked = true
    if (this.#hears !== undefined) {
      this.#owner.uplink.topics?.unsubscribe(this.#hears.topic)
      this.#hears.room.stale()
      this.#hears = undefined
    }
    this.#watchStall()
  }

  #watchStall(): void {
    const { clock, options } = this.#dependencies
    this.#watch ??= new StallWatch({
      clock,
      slowReaderMs: options.slowReaderMs,
      uplink: this.#owner.uplink,
      blocked: () => this.#blocked && !this.#closed,
      progressed: () => this.drained(),
      stalled: () => this.#owner.stalled('nothing drained'),
    })
    this.#watch.start()
  }
}
