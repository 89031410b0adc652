import { type LatestFrame, LIMITS, type PeerId } from '../../../signaling/protocol/index.ts'
import type { LatestValue } from '../face.ts'
import { decodePayload } from './content.ts'

export interface HeldValue {
  readonly channel: string
  readonly counter: number
  readonly value: LatestValue<unknown>
  /** Whether a handler was called with it. */
  heard: boolean
}

interface Sender {
  readonly values: Map<string, HeldValue>
  /** The greatest counter of what was forgotten. */
  floor: number | undefined
}

const isAhead = (counter: number, of: number | undefined): boolean => of === undefined || ((counter - of) | 0) > 0

/**
 * The newest value of each (sender, channel, key), also of channels that are not open here yet. Of each sender at most
 * `LIMITS.latestKeys` over all its channels, each of `LIMITS.latestBytes`; what a sender has beyond that makes us forget
 * its first key, and take nothing as old as that for a key that we do not know: it could be that one's, repeated.
 */
export class HeldValues {
  readonly #senders = new Map<PeerId, Sender>()

  /**
   * The value, when it is newer than the one we have: its counter is ahead by serial arithmetic.
   * @throws ProtocolError when the body is not what the frame says
   */
  take(from: PeerId, channel: string, frame: LatestFrame, sentAtMs: number): HeldValue | undefined {
    const slot = `${channel}\n${frame.key}`
    const sender = this.#senders.get(from) ?? { values: new Map<string, HeldValue>(), floor: undefined }
    const { values } = sender
    if (!isAhead(frame.counter, values.get(slot)?.counter ?? sender.floor)) return undefined
    const value = { from, key: frame.key, value: decodePayload(frame.content, frame.body), sentAtMs }
    const held = { channel, counter: frame.counter, value, heard: false }
    values.set(slot, held)
    this.#senders.set(from, sender)
    const [first] = values.size > LIMITS.latestKeys ? values : []
    if (first !== undefined) {
      const [forgotten, { counter }] = first
      values.delete(forgotten)
      if (isAhead(counter, sender.floor)) sender.floor = counter
    }
    return held
  }

  get(from: PeerId, channel: string, key: string): unknown {
    return this.#senders.get(from)?.values.get(`${channel}\n${key}`)?.value.value
  }

  /** Values of this channel that came while it had no handler. */
  unheard(channel: string): HeldValue[] {
    const values = [...this.#senders.values()].flatMap((of) => [...of.values.values()])
    return values.filter((held) => held.channel === channel && !held.heard)
  }

  forget(from: PeerId): void {
    this.#senders.delete(from)
  }

  clear(): void {
    this.#senders.clear()
  }
}
