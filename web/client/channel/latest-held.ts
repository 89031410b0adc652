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

/**
 * The newest value of each (sender, channel, key), also of channels that are not open here yet. Of each sender at most
 * `LIMITS.latestKeys` over all its channels, each of `LIMITS.latestBytes`; what a sender has beyond that makes us forget
 * its first key.
 */
export class HeldValues {
  readonly #senders = new Map<PeerId, Map<string, HeldValue>>()

  /**
   * The value, when it is newer than the one we have: its counter is ahead by serial arithmetic.
   * @throws ProtocolError when the body is not what the frame says
   */
  take(from: PeerId, channel: string, frame: LatestFrame, sentAtMs: number): HeldValue | undefined {
    const slot = `${channel}\n${frame.key}`
    const values = this.#senders.get(from) ?? new Map<string, HeldValue>()
    const known = values.get(slot)
    if (known !== undefined && ((frame.counter - known.counter) | 0) <= 0) return undefined
    const value = { from, key: frame.key, value: decodePayload(frame.content, frame.body), sentAtMs }
    const held = { channel, counter: frame.counter, value, heard: false }
    this.#senders.set(from, values.set(slot, held))
    const first = values.keys().next().value
    if (values.size > LIMITS.latestKeys && first !== undefined) values.delete(first)
    return held
  }

  get(from: PeerId, channel: string, key: string): unknown {
    return this.#senders.get(from)?.get(`${channel}\n${key}`)?.value.value
  }

  /** Values of this channel that came while it had no handler. */
  unheard(channel: string): HeldValue[] {
    const values = [...this.#senders.values()].flatMap((of) => [...of.values()])
    return values.filter((held) => held.channel === channel && !held.heard)
  }

  forget(from: PeerId): void {
    this.#senders.delete(from)
  }

  clear(): void {
    this.#senders.clear()
  }
}
