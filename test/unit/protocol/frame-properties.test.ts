import { describe, expect, it } from 'vitest'
import {
  decodeAck,
  decodeGreeted,
  decodeGreeting,
  decodeLatest,
  decodePiece,
  decodePing,
  encodeAck,
  encodeData,
  encodeFragment,
  encodeGreeted,
  encodeGreeting,
  encodeLatest,
  encodePing,
  encodePong,
  envelopeLength,
  FRAME,
  frameType,
  LIMITS,
  ProtocolError,
  readEnvelope,
  writeEnvelope,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'
import { annotatedBytes } from './annotated-bytes.ts'
import { ack, address, fragment, greeting, latest, message, payload, slot, u32 } from './arbitrary-frames.ts'
import { envelopeAgain, pieceAgain } from './encoded-again.ts'

/** Of any frame, by its type. */
function decode(frame: Uint8Array): unknown {
  switch (frameType(frame)) {
    case FRAME.data:
    case FRAME.fragment:
      return decodePiece(frame)
    case FRAME.ack:
      return decodeAck(frame)
    case FRAME.ping:
    case FRAME.pong:
      return decodePing(frame)
    case FRAME.greet:
      return decodeGreeting(frame)
    case FRAME.greeted:
      return decodeGreeted(frame)
    case FRAME.latest:
      return decodeLatest(frame)
  }
}

/** What it gives, or `undefined` for a ProtocolError; anything else that it throws is a failure. */
function orProtocolError<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const frame = fc.oneof(
  message.map(({ head, body }) => encodeData(head, body)),
  fragment.map(({ message: { head, body }, index, last, totalBytes }) =>
    encodeFragment(head, index, last, totalBytes, body),
  ),
  ack.map(encodeAck),
  fc.tuple(u32, fc.boolean()).map(([nonce, wantsAck]) => encodePing(nonce, wantsAck)),
  u32.map(encodePong),
  greeting.map(encodeGreeting),
  u32.map(encodeGreeted),
  latest.map(encodeLatest),
)

const envelope = fc.tuple(address, payload, slot).map(([to, bytes, at]) => {
  const target = new Uint8Array(envelopeLength(to, bytes.length, at))
  writeEnvelope(target, 0, to, bytes, at)
  return target
})

describe('what is encoded comes back', () => {
  it('as a data frame', () => {
    fc.assert(
      fc.property(message, ({ head, body }) => {
        const bytes = encodeData(head, body)
        const { ordinal, content, sent, number, ...rest } = head
        expect(decodePiece(bytes)).toEqual({
          ...rest,
          ordinal: ordinal & 0xffff,
          index: 0,
          last: true,
          start: { content, sent, number, totalBytes: body.length },
          body,
        })
        expect(pieceAgain(bytes)).toEqual(bytes)
      }),
    )
  })

  it('as a fragment, whose first alone carries head and opening', () => {
    fc.assert(
      fc.property(fragment, ({ message: { head, body }, index, last, totalBytes }) => {
        const bytes = encodeFragment(head, index, last, totalBytes, body)
        const { ordinal, content, sent, number, opening, ...rest } = head
        expect(decodePiece(bytes)).toEqual({
          ...rest,
          ordinal: ordinal & 0xffff,
          opening: index === 0 ? opening : undefined,
          index,
          last,
          start: index === 0 ? { content, sent, number, totalBytes } : undefined,
          body,
        })
      }),
    )
  })

  it('as an ack', () => {
    fc.assert(
      fc.property(ack, (value) => {
        expect(decodeAck(encodeAck(value))).toEqual(value)
      }),
    )
  })

  it('as a ping, a pong and a greeted', () => {
    fc.assert(
      fc.property(u32, fc.boolean(), (number, wantsAck) => {
        expect(decodePing(encodePing(number, wantsAck))).toEqual({ nonce: number, wantsAck })
        expect(decodePing(encodePong(number)).nonce).toBe(number)
        expect(decodeGreeted(encodeGreeted(number))).toEqual({ generation: number })
      }),
    )
  })

  it('as a greeting', () => {
    fc.assert(
      fc.property(greeting, (value) => {
        expect(decodeGreeting(encodeGreeting(value))).toEqual(value)
      }),
    )
  })

  it('as a latest value', () => {
    fc.assert(
      fc.property(latest, (value) => {
        expect(decodeLatest(encodeLatest(value))).toEqual(value)
      }),
    )
  })

  it('as an envelope, at any place', () => {
    fc.assert(
      fc.property(address, payload, slot, fc.nat({ max: 40 }), (to, bytes, at, before) => {
        const target = new Uint8Array(before + envelopeLength(to, bytes.length, at))
        expect(writeEnvelope(target, before, to, bytes, at)).toBe(target.length)
        const read = readEnvelope(target, before)
        expect(read.end).toBe(target.length)
        expect(read.slot).toBe(at)
        expect(read.peer).toBe(to.kind === 'one' ? to.id : undefined)
        expect(read.ids).toEqual('ids' in to ? to.ids : [])
        expect(target.subarray(read.payloadStart, read.end)).toEqual(bytes)
        expect(envelopeAgain(target.subarray(before))).toEqual(target.subarray(before))
      }),
    )
  })

  it('the same when the frame lies within other bytes', () => {
    fc.assert(
      fc.property(frame, (bytes) => {
        const around = new Uint8Array(bytes.length + 7).fill(0xff)
        around.set(bytes, 3)
        expect(decode(around.subarray(3, 3 + bytes.length))).toEqual(decode(bytes))
      }),
    )
  })
})

describe('hostile bytes', () => {
  it('that are a frame cut short anywhere are read, or are a ProtocolError', () => {
    fc.assert(
      fc.property(frame, (bytes) => {
        for (let length = 0; length < bytes.length; length += 1) {
          orProtocolError(() => decode(bytes.subarray(0, length)))
        }
      }),
    )
  })

  it.each([
    ['ack', ack.map(encodeAck)],
    ['greeting', greeting.map(encodeGreeting)],
    ['ping', u32.map(encodePong)],
    ['greeted', u32.map(encodeGreeted)],
  ])('that are part of one are never taken for a whole one: %s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (bytes) => {
        for (let length = 1; length < bytes.length; length += 1) {
          expect(() => decode(bytes.subarray(0, length))).toThrow(ProtocolError)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('that are part of an envelope are never taken for a whole one', () => {
    fc.assert(
      fc.property(envelope, (bytes) => {
        for (let length = 0; length < bytes.length; length += 1) {
          expect(() => readEnvelope(bytes.subarray(0, length), 0)).toThrow(ProtocolError)
        }
      }),
    )
  })

  it('of any kind, or with any byte changed, are read or are a ProtocolError', () => {
    const changed = (source: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
      fc.tuple(source, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, value]) => {
        const copy = bytes.slice()
        copy[at % Math.max(1, copy.length)] = value
        return copy
      })
    const random = fc.uint8Array({ maxLength: 120 })
    fc.assert(
      fc.property(fc.oneof(random, changed(frame)), (bytes) => void orProtocolError(() => decode(bytes))),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.oneof(random, changed(envelope)), (bytes) => void orProtocolError(() => readEnvelope(bytes, 0))),
      { numRuns: 2_000 },
    )
  })

  it('cost no more memory than they are long: bodies and bitmaps are views, and lists are paid in bytes', () => {
    fc.assert(
      fc.property(fc.oneof(frame, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const value = orProtocolError(() => decode(bytes))
        if (typeof value !== 'object' || value === null) return
        if ('body' in value) expect((value.body as Uint8Array).buffer).toBe(bytes.buffer)
        if ('unread' in value) expect((value.unread as unknown[]).length * 5).toBeLessThan(bytes.length)
        if ('channels' in value) expect((value.channels as unknown[]).length * 6).toBeLessThan(bytes.length)
        if ('streams' in value) {
          for (const { bitmap } of value.streams as { bitmap: Uint8Array }[]) expect(bitmap.buffer).toBe(bytes.buffer)
        }
      }),
    )
    fc.assert(
      fc.property(envelope, (bytes) => {
        expect(readEnvelope(bytes, 0).ids.length * 8).toBeLessThan(bytes.length)
      }),
    )
  })

  const GREETING_HEAD = `
    a0                                               # type 5
    00 00 00 01                                      # generation
    00 00 00 00                                      # known
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  # instance
    00 00 00 00                                      # delay, uplink round trip
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # starts
  `
  it.each([
    ['frame', 'nothing at all', ''],
    ['frame', 'a varint of 33 bits', '00 00 00 00 00 ff ff ff ff 1f 00 00 00 00 00'],
    ['frame.channel', 'a channel beyond the last', '00 00 00 00 00 80 02 00 00 00 00 00'],
    ['frame.content', 'a content that there is not', '28 00 00 00 00 01 00 00 00 04 00 00 00 01'],
    ['frame.total', 'a message of more than 8 MiB', '28 00 00 00 00 01 00 00 00 02 00 00 00 81 80 80 04'],
    ['frame', 'a name of more than 64 bytes', `04 00 00 00 00 01 00 00 41 ${'61 '.repeat(65)} 00 00 00 00 00 00 00`],
    ['text', 'a name that is not UTF-8', '04 00 00 00 00 01 00 00 01 ff 00 00 00 00 00 00 00'],
    ['ack.bitmap', 'a bitmap beyond the window', `41 00 00 00 00 00 00 00 00 00 00 00 00 81 04 ${'00 '.repeat(513)}`],
    ['ack.unread', 'more unread channels than there are', `50 00 00 00 00 00 00 00 00 81 04 ${'00 '.repeat(2_565)}`],
    ['frame', 'unread channels that are not there', '50 00 00 00 00 00 00 00 00 80 04'],
    ['greet.generation', 'generation 0', GREETING_HEAD.replace('00 00 00 01', '00 00 00 00')],
    ['greet.channels', 'more channels than there may be', `${GREETING_HEAD} 81 02 ${'00 '.repeat(2_000)}`],
    ['greet.channels', 'as many channels as a varint holds', `${GREETING_HEAD} ff ff ff ff 0f`],
    ['frame', 'a key of more than 64 bytes', `e0 01 00 00 00 00 00 00 00 41 ${'61 '.repeat(65)}`],
    ['latest', 'a value of more than 16 KiB', `e0 01 00 00 00 00 00 00 00 00 ${'00 '.repeat(16_385)}`],
  ])('are told by field: %s, %s', (field, _, hex) => {
    const bytes = annotatedBytes(hex)
    expect(() => decode(bytes)).toThrow(ProtocolError)
    expect(() => decode(bytes)).toThrow(new RegExp(`^${field}: `))
  })

  it('at the limits are taken', () => {
    const head = {
      stream: 0,
      seq: 0,
      channel: LIMITS.channels - 1,
      ordinal: 0,
      opening: { name: 'x'.repeat(LIMITS.channelNameBytes), ordinal: 0 },
      content: 2,
      sent: 0,
      number: 0,
    } as const
    expect(decodePiece(encodeFragment(head, 0, false, LIMITS.messageBytes, new Uint8Array())).start?.totalBytes).toBe(
      LIMITS.messageBytes,
    )
    const value = {
      audience: 'room',
      channel: 1,
      counter: 1,
      sent: 0,
      key: 'k'.repeat(LIMITS.latestKeyBytes),
      content: 2,
      body: new Uint8Array(LIMITS.latestBytes),
    } as const
    expect(decodeLatest(encodeLatest(value))).toEqual(value)
  })
})
