import { decodePiece, encodeAck, type Greeting } from '../../../signaling/protocol/index.ts'
import type { Arrived } from '../delivery/channel-order.ts'
import { type HandedOn, LinkReceiver } from '../delivery/link-receiver.ts'
import type { Alarm } from './alarm.ts'
import { EarlyFrames } from './early-frames.ts'
import type { LinkDeps } from './link-deps.ts'
import type { LinkPaths } from './link-paths.ts'
import type { WatchedPath } from './watched-path.ts'

/** Acknowledgements of repeats leave at most this often: a burst of them is answered once. */
const REPEAT_ACK_MS = 5

export interface LinkIntakeDeps extends Pick<LinkDeps, 'clock' | 'random' | 'budget' | 'ackDelayMs'> {
  readonly paths: Pick<LinkPaths, 'relay' | 'outlet'>
  /** `false`: nobody takes it now. */
  message(message: Arrived): boolean
  /** Rings when an acknowledgement is due. */
  readonly alarm: Pick<Alarm, 'by'>
}

/**
 * What the member sends us, from its greeting on, and our acknowledgements of it. `via`: by which of our paths a frame
 * came; absent: the relay.
 */
export class LinkIntake {
  /** Of what that member says to the room, over all links to it. */
  handed: HandedOn
  readonly #deps: LinkIntakeDeps
  #receiver: LinkReceiver | undefined
  readonly #early = new EarlyFrames()
  #lastRepeatAckMs = Number.NEGATIVE_INFINITY
  /** As the newest frame came. */
  #came: WatchedPath | undefined
  #ended = false

  constructor(deps: LinkIntakeDeps, handed: HandedOn) {
    this.#deps = deps
    this.handed = handed
  }

  get repeats(): number {
    return this.#receiver?.repeats ?? 0
  }

  channelName(channel: number): string | undefined {
    return this.#receiver?.channelName(channel)
  }

  /** A new greeting has come: what was held of an earlier one goes. */
  begin(greeting: Greeting): void {
    this.handed = this.#receiver?.close() ?? this.handed
    const message = (arrived: Arrived): boolean => this.#deps.message(arrived)
    this.#receiver = new LinkReceiver(greeting, this.#deps.budget, { message }, this.handed)
  }

  /** What came before the greeting, one by one. */
  takeEarly(take: (frame: Uint8Array, via: WatchedPath | undefined) => void): void {
    for (const { frame, via } of this.#early.take()) take(frame, via)
  }

  /** A data or fragment frame. @throws ProtocolError */
  piece(frame: Uint8Array, via: WatchedPath | undefined): void {
    const receiver = this.#receiver
    if (receiver === undefined) {
      this.#early.hold(frame, via)
      return
    }
    const { clock, random, ackDelayMs, alarm } = this.#deps
    const nowMs = clock.now()
    const taken = receiver.take(decodePiece(frame), nowMs)
    if (this.#ended) return
    this.#came = via
    const delayMs = ackDelayMs()
    if (taken === 'repeat' && nowMs - this.#lastRepeatAckMs >= REPEAT_ACK_MS) {
      this.#lastRepeatAckMs = nowMs
      this.#acknowledge(nowMs)
    } else if (receiver.ackWanted(nowMs, delayMs, random)) {
      this.#acknowledge(nowMs)
    } else {
      alarm.by(receiver.ackDueMs)
    }
  }

  /** The member asks for an acknowledgement of everything. */
  asked(via: WatchedPath | undefined): void {
    this.#came = via
    this.#receiver?.wantAck(true)
    this.#acknowledge(this.#deps.clock.now())
  }

  /** Acknowledges what is due by now. */
  check(nowMs: number): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    if (nowMs >= receiver.ackDueMs) this.#acknowledge(nowMs)
    else this.#deps.alarm.by(receiver.ackDueMs)
  }

  /**
   * By the path that the newest frame came by, where we trust it too: the peer uses that one, and knows more than we of
   * the way there.
   */
  #acknowledge(nowMs: number): void {
    const receiver = this.#receiver
    const { paths, ackDelayMs, alarm } = this.#deps
    const came = this.#came === undefined ? paths.relay : this.#came.usable ? this.#came : undefined
    const outlet = came ?? paths.outlet
    // Without a way there, the acknowledgement stays due until there is one.
    if (receiver === undefined || outlet === undefined) return
    if (!outlet.send('control', encodeAck(receiver.takeAck(nowMs, ackDelayMs())))) {
      // It is cumulative: the next one says it all. Soon, since this one was due.
      receiver.wantAck(true)
      alarm.by(nowMs + ackDelayMs())
    }
  }

  /** The application takes messages of this channel (again). */
  drain(channelName: string): void {
    const receiver = this.#receiver
    if (receiver === undefined || this.#ended) return
    receiver.drain(channelName)
    const nowMs = this.#deps.clock.now()
    if (nowMs >= receiver.ackDueMs || receiver.windowOpened) {
      receiver.wantAck(false)
      this.#acknowledge(nowMs)
    }
  }

  /** It is gone. */
  forget(path: WatchedPath): void {
    if (this.#came === path) this.#came = undefined
  }

  /** The link is over. */
  end(): void {
    this.#ended = true
    this.handed = this.#receiver?.close() ?? this.handed
    this.#early.take()
  }
}
