import { describe, expect, it } from 'vitest'
import { encodeData, unpack } from '../../../signaling/protocol/index.ts'
import { type LaneChannel, PackingLane } from '../../../web/client/paths/packing-lane.ts'
import type { LaneBuffer } from '../../../web/client/paths/path.ts'

const BUFFER: LaneBuffer = { boundBytes: 4_000, leastBytes: 4_000, lowBytes: 1_600, packBytes: 200 }

/** Keeps what it is given until it is told that it has left, and tells of that as a data channel does. */
class FakeChannel implements LaneChannel {
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  closing = false
  readonly messages: Uint8Array[] = []

  send(bytes: Uint8Array): void {
    if (this.closing) throw new Error('InvalidStateError')
    this.messages.push(bytes.slice())
    this.bufferedAmount += bytes.length
  }

  /** Whether the event of the threshold would come. */
  leave(bytes: number): boolean {
    const before = this.bufferedAmount
    this.bufferedAmount -= bytes
    return before > this.bufferedAmountLowThreshold && this.bufferedAmount <= this.bufferedAmountLowThreshold
  }
}

const frame = (name: number, length = 50): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(name)

function framesIn(messages: readonly Uint8Array[]): number[] {
  const names: number[] = []
  for (const message of messages) unpack(message, (one) => names.push(one[0] as number))
  return names
}

function opened(buffer = BUFFER) {
  const channel = new FakeChannel()
  const clock = { nowMs: 0 }
  return { channel, clock, lane: new PackingLane(channel, buffer, () => clock.nowMs) }
}

/** A frame that alone makes a channel busy: what comes after it gathers. */
const large = (name: number): Uint8Array<ArrayBuffer> => frame(name, 1_300)

const data = (seq: number): Uint8Array<ArrayBuffer> =>
  encodeData(
    { stream: 0, seq, channel: 1, ordinal: seq, opening: undefined, content: 2, sent: seq, number: 0 },
    new Uint8Array(50),
  ) as Uint8Array<ArrayBuffer>

describe('a lane whose other side takes short forms', () => {
  it('leaves out of a frame that goes alone what it has in common with the last', () => {
    const { channel, lane } = opened()
    lane.send(data(1))
    lane.send(data(2))
    lane.shorten()
    for (const seq of [3, 4, 5]) lane.send(data(seq))
    expect(channel.messages.map(({ length }) => length)).toEqual([61, 61, 61, 52, 52])
    expect(lane.writtenBytes).toBe(61 * 3 + 52 * 2)
  })

  it('packs whole frames', () => {
    const { channel, lane } = opened()
    lane.shorten()
    lane.send(data(1))
    lane.send(large(1))
    lane.send(data(2))
    lane.send(data(3))
    channel.leave(channel.bufferedAmount)
    lane.drained()
    expect(channel.messages.at(-1)).toHaveLength(4 + 61 * 2)
    channel.leave(channel.bufferedAmount)
    lane.send(data(4))
    expect(channel.messages.at(-1)).toEqual(data(4))
  })

  it('sends the next frame whole when one could not be sent', () => {
    const { channel, lane } = opened()
    lane.shorten()
    lane.send(data(1))
    channel.closing = true
    expect(() => lane.send(data(2))).toThrow()
    channel.closing = false
    lane.send(data(3))
    expect(channel.messages.at(-1)).toEqual(data(3))
  })
})

describe('a lane', () => {
  it('sends a frame at once and as it is while its channel has next to nothing to do', () => {
    const { channel, lane } = opened()
    for (const name of [1, 2, 3]) expect(lane.send(frame(name))).toBe(true)
    expect(channel.messages).toEqual([frame(1), frame(2), frame(3)])
    expect(channel.leave(150)).toBe(false)
  })

  it('gathers frames while its channel is busy, and sends them together when it has drained', () => {
    const { channel, lane } = opened()
    lane.send(large(1))
    for (const name of [2, 3]) lane.send(frame(name))
    expect(channel.messages).toHaveLength(1)
    expect(lane.bufferedBytes).toBe(1_300 + 104)
    expect(channel.leave(1_299)).toBe(false)
    expect(channel.leave(1)).toBe(true)
    expect(lane.drained()).toBe(false)
    expect(channel.messages).toHaveLength(2)
    expect(framesIn(channel.messages)).toEqual([1, 2, 3])
    expect(lane.writtenBytes).toBe(1_404)
    expect(lane.bufferedBytes).toBe(104)
  })

  it('sends a pack that is full without waiting, and keeps the order around frames that fit into none', () => {
    const { channel, lane } = opened()
    lane.send(large(1))
    for (const name of [2, 3, 4, 5]) lane.send(frame(name))
    lane.send(frame(6, 250))
    lane.send(frame(7))
    expect(framesIn(channel.messages)).toEqual([1, 2, 3, 4, 5, 6])
    channel.leave(channel.bufferedAmount)
    lane.drained()
    expect(framesIn(channel.messages)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('packs less where less may wait, and then sends alone what would be half a pack', () => {
    const { channel, lane } = opened({ boundBytes: 16_000, leastBytes: 8_000, lowBytes: 6_400, packBytes: 1_000 })
    lane.send(large(1))
    for (const name of [2, 3, 4]) lane.send(frame(name, 200))
    expect(framesIn(channel.messages)).toEqual([1, 2, 3])
    lane.send(frame(5, 300))
    expect(framesIn(channel.messages)).toEqual([1, 2, 3, 4, 5])
    expect(channel.messages.map(({ length }) => length)).toEqual([1_300, 404, 204, 300])
  })

  it('goes on at once with a frame alone after it has drained', () => {
    const { channel, lane } = opened()
    lane.send(large(1))
    lane.send(frame(2))
    channel.leave(1_300)
    lane.drained()
    channel.leave(channel.bufferedAmount)
    lane.drained()
    lane.send(frame(3))
    expect(channel.messages.at(-1)).toEqual(frame(3))
  })

  it('refuses at its bound, what it gathered included, and says so once there is room', () => {
    const { channel, lane } = opened()
    let taken = 0
    while (lane.send(frame(taken))) taken += 1
    expect(lane.bufferedBytes).toBeGreaterThanOrEqual(BUFFER.boundBytes)
    expect(channel.leave(channel.bufferedAmount - BUFFER.lowBytes - 1)).toBe(false)
    expect(channel.leave(1)).toBe(true)
    expect(lane.drained()).toBe(true)
    expect(framesIn(channel.messages)).toHaveLength(taken)
    expect(lane.drained()).toBe(false)
  })

  it('lets more wait where the way is quick, and less again where it is slow', () => {
    const { channel, clock, lane } = opened({ boundBytes: 8_000, leastBytes: 2_000, lowBytes: 4_000, packBytes: 0 })
    const filled = (drainsMs: number): number => {
      while (lane.send(large(1)));
      const heldBytes = lane.bufferedBytes
      clock.nowMs += drainsMs
      expect(channel.leave(heldBytes - channel.bufferedAmountLowThreshold)).toBe(true)
      lane.drained()
      return heldBytes
    }
    expect([5, 5, 5, 5, 500, 500, 500, 200].map(filled)).toEqual([
      2_600, 4_900, 8_500, 9_200, 9_200, 4_000, 2_000, 2_300,
    ])
  })

  it('packs nothing where its lane has no packs', () => {
    const { channel, lane } = opened({ ...BUFFER, packBytes: 0 })
    for (const name of [1, 2]) lane.send(large(name))
    expect(channel.messages).toEqual([large(1), large(2)])
  })

  it('never waits for an event that has come already, where a channel drains beside it', () => {
    const { channel, lane } = opened()
    lane.send(large(1))
    let left = 0
    Object.defineProperty(channel, 'bufferedAmountLowThreshold', { set: () => channel.leave(left) })
    left = 1_300
    lane.send(frame(2))
    expect(framesIn(channel.messages)).toEqual([1, 2])
    left = 0
    while (channel.bufferedAmount < BUFFER.boundBytes) channel.send(large(3))
    left = channel.bufferedAmount - BUFFER.lowBytes
    expect(lane.send(frame(4))).toBe(true)
  })

  it('throws what its channel throws, but not when it has drained', () => {
    const { channel, lane } = opened()
    lane.send(large(1))
    lane.send(frame(2))
    channel.closing = true
    channel.leave(1_300)
    expect(() => lane.drained()).not.toThrow()
    expect(() => lane.send(frame(3))).toThrow('InvalidStateError')
  })
})
