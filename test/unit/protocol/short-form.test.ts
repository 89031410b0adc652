import { describe, expect, it } from 'vitest'
import { encodeAck, encodeData, encodePing, ShortForms } from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'

type Bytes = Uint8Array<ArrayBuffer>

const data = (seq: number, over: Partial<Parameters<typeof encodeData>[0]> = {}): Bytes =>
  encodeData(
    {
      stream: 0,
      seq: seq >>> 0,
      channel: 3,
      ordinal: (seq + 7) & 0xffff,
      opening: undefined,
      content: 1,
      sent: (seq * 20) & 0xff_ffff,
      number: 0,
      ...over,
    },
    Uint8Array.of(0x68, 0x69),
  ) as Bytes

const ack = (next: number, over: Partial<Parameters<typeof encodeAck>[0]> = {}): Bytes =>
  encodeAck({
    heldMs: 2,
    delayMs: 20,
    windowBytes: 16_777_216,
    streams: [{ stream: 0, next: next >>> 0, bitmap: new Uint8Array() }],
    unread: [],
    ...over,
  }) as Bytes

/** What travels, and what the other side makes of it. */
function sent(frames: readonly Bytes[]) {
  const shortener = new ShortForms()
  const restorer = new ShortForms()
  const messages = frames.map((frame) => shortener.shorten(frame))
  return { messages, restored: messages.map((message) => restorer.restore(message)) }
}

describe('a short form', () => {
  it('is of a data frame that follows the last one: 2 bytes beside its body', () => {
    const frames = [data(9), data(10), data(11, { sent: 203 })]
    const { messages, restored } = sent(frames)
    expect(messages[0]).toEqual(frames[0])
    expect(messages[1]).toEqual(Uint8Array.of(0xe4, 20, 0x68, 0x69))
    expect(messages[2]).toEqual(Uint8Array.of(0xe4, 3, 0x68, 0x69))
    expect(restored).toEqual(frames)
  })

  it('is of an ack that follows the last one: 3 bytes', () => {
    const frames = [ack(9), ack(10), ack(12, { heldMs: 17 }), ack(12)]
    const { messages, restored } = sent(frames)
    expect(messages.slice(1)).toEqual([
      Uint8Array.of(0xe5, 2, 1),
      Uint8Array.of(0xe5, 17, 2),
      Uint8Array.of(0xe5, 2, 0),
    ])
    expect(restored).toEqual(frames)
  })

  it('goes on across every wrap', () => {
    const around = [-2, -1, 0, 1]
    const frames = [
      ...around.map((at) => data(at, { ordinal: at & 0xffff, sent: (at * 100) & 0xff_ffff })),
      ...around.map((at) => ack(at)),
    ]
    const { messages, restored } = sent(frames)
    expect(messages.map(({ length }) => length)).toEqual([13, 4, 4, 4, 14, 3, 3, 3])
    expect(restored).toEqual(frames)
  })

  it.each([
    ['another sequence number', data(11, { ordinal: 17 })],
    ['another ordinal', data(10, { ordinal: 18 })],
    ['another channel', data(10, { channel: 4 })],
    ['another content', data(10, { content: 2 })],
    ['a much later time', data(10, { sent: 180 + 256 })],
    ['an earlier time', data(10, { sent: 179 })],
    ['one member alone as its audience', data(10, { stream: 2 })],
    ['the name of its channel', data(10, { opening: { name: 'm:chat', ordinal: 17 } })],
  ])('is of no data frame with %s', (_, second) => {
    const { messages, restored } = sent([data(9), second])
    expect(messages[1]).toEqual(second)
    expect(restored[1]).toEqual(second)
  })

  it.each([
    ['another window', ack(10, { windowBytes: 1 })],
    ['another delay', ack(10, { delayMs: 21 })],
    ['another stream', ack(10, { streams: [{ stream: 2, next: 10, bitmap: new Uint8Array() }] })],
    ['a bitmap', ack(10, { streams: [{ stream: 0, next: 10, bitmap: Uint8Array.of(1) }] })],
    ['something unread', ack(10, { unread: [{ channel: 1, audience: 'room', ordinal: 3 }] })],
    ['a long time held', ack(10, { heldMs: 256 })],
    ['a beginning far on', ack(9 + 256)],
    ['an earlier beginning', ack(8)],
  ])('is of no ack with %s', (_, second) => {
    const { messages, restored } = sent([ack(9), second])
    expect(messages[1]).toEqual(second)
    expect(restored[1]).toEqual(second)
  })

  it('of data and of acks do not disturb each other, nor do other frames', () => {
    const frames = [data(1), ack(5), encodePing(7, false) as Bytes, data(2), ack(6)]
    const { messages, restored } = sent(frames)
    expect(messages.map(({ length }) => length)).toEqual([13, 14, 5, 4, 3])
    expect(restored).toEqual(frames)
  })

  it('gives back whatever frames are sent, in any order', () => {
    const near = fc.integer({ min: 0, max: 5 })
    const anything = fc.oneof(
      fc.tuple(near, near, near).map(([seq, ordinal, sentMs]) => data(seq, { ordinal, sent: sentMs })),
      fc.tuple(near, near).map(([next, heldMs]) => ack(next, { heldMs })),
      fc.uint8Array({ maxLength: 20 }).filter(([first]) => first !== 0xe4 && first !== 0xe5),
    )
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), (frames) => {
        expect(sent(frames as Bytes[]).restored).toEqual(frames)
      }),
    )
  })

  it('is whole again after something was not sent', () => {
    const shortener = new ShortForms()
    shortener.shorten(data(9))
    shortener.forget()
    expect(shortener.shorten(data(10))).toEqual(data(10))
  })

  it.each([
    ['data', Uint8Array.of(0xe4, 1, 0x68)],
    ['an ack', Uint8Array.of(0xe5, 0, 1)],
  ])('of %s that follows nothing is malformed', (_, message) => {
    expect(new ShortForms().restore(message)).toEqual(new Uint8Array())
  })

  it('that is cut off is malformed, and the next follows what was before it', () => {
    const restorer = new ShortForms()
    for (const frame of [data(9), ack(9)]) restorer.restore(frame)
    for (const message of [Uint8Array.of(0xe4), Uint8Array.of(0xe5), Uint8Array.of(0xe5, 1)]) {
      expect(restorer.restore(message)).toEqual(new Uint8Array())
    }
    expect(restorer.restore(Uint8Array.of(0xe4, 20, 0x68, 0x69))).toEqual(data(10))
    expect(restorer.restore(Uint8Array.of(0xe5, 2, 1))).toEqual(ack(10))
  })
})
