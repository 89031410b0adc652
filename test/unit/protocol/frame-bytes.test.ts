import { describe, expect, it } from 'vitest'
import {
  CONTENT,
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
  encodeText,
  FRAME,
  frameType,
  type InstanceId,
  type MessageHead,
} from '../../../signaling/protocol/index.ts'
import { annotatedBytes } from './annotated-bytes.ts'

const HEAD: MessageHead = {
  stream: 0,
  seq: 0xfffffffe,
  channel: 3,
  ordinal: 65_543,
  opening: undefined,
  content: CONTENT.text,
  sent: 0x010203,
  number: 0,
}
const OPENING = { name: 'm:chät', ordinal: 65_543 }

describe('a data frame', () => {
  it('to the room', () => {
    const frame = annotatedBytes(`
      01           # type 0, content 1: text
      ff ff ff fe  # seq
      03           # channel
      00 07        # ordinal, low half
      01 02 03     # sent
      68 69        # body
    `)
    expect(encodeData(HEAD, encodeText('hi'))).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.data)
    expect(decodePiece(frame)).toEqual({
      stream: 0,
      seq: 0xfffffffe,
      channel: 3,
      ordinal: 7,
      opening: undefined,
      index: 0,
      last: true,
      start: { content: CONTENT.text, sent: 0x010203, number: 0, totalBytes: 2 },
      body: encodeText('hi'),
    })
  })

  it('to one member, on bulk, that opens its channel', () => {
    const frame = annotatedBytes(`
      1e                    # type 0, 16 unicast, 8 bulk, 4 opens, content 2: bytes
      00 00 00 01           # seq
      ff 01                 # channel 255
      00 07                 # ordinal, low half
      07                    # opening: length of the name
      6d 3a 63 68 c3 a4 74  # opening: m:chät
      00 01 00 07           # opening: whole ordinal
      ff ff ff              # sent: the last ms before the wrap
      ac 02                 # number 300
    `)
    const head: MessageHead = {
      ...HEAD,
      stream: 3,
      seq: 1,
      channel: 255,
      opening: OPENING,
      content: CONTENT.binary,
      sent: 0xffffff,
      number: 300,
    }
    expect(encodeData(head, new Uint8Array())).toEqual(frame)
    expect(decodePiece(frame)).toMatchObject({
      stream: 3,
      channel: 255,
      ordinal: 7,
      opening: OPENING,
      start: { content: CONTENT.binary, sent: 0xffffff, number: 300, totalBytes: 0 },
    })
  })

  it('that only takes its place', () => {
    const frame = annotatedBytes(`
      03           # type 0, content 3: void
      ff ff ff fe  # seq
      03           # channel
      00 07        # ordinal
      01 02 03     # sent
    `)
    expect(encodeData({ ...HEAD, content: CONTENT.void }, new Uint8Array())).toEqual(frame)
    expect(decodePiece(frame).start?.content).toBe(CONTENT.void)
  })
})

describe('a fragment', () => {
  it('that begins a message', () => {
    const frame = annotatedBytes(`
      3c                    # type 1, 16 unicast, 8 bulk, 4 opens
      00 00 00 09           # seq
      03                    # channel
      00 07                 # ordinal
      07                    # opening: length of the name
      6d 3a 63 68 c3 a4 74  # opening: m:chät
      00 01 00 07           # opening: whole ordinal
      00                    # index
      02                    # content: bytes
      01 02 03              # sent
      05                    # number
      80 80 80 04           # total: 8 MiB, the largest
      aa bb                 # body
    `)
    const head: MessageHead = { ...HEAD, stream: 3, seq: 9, opening: OPENING, content: CONTENT.binary, number: 5 }
    expect(encodeFragment(head, 0, false, 8_388_608, Uint8Array.of(0xaa, 0xbb))).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.fragment)
    expect(decodePiece(frame)).toEqual({
      stream: 3,
      seq: 9,
      channel: 3,
      ordinal: 7,
      opening: OPENING,
      index: 0,
      last: false,
      start: { content: CONTENT.binary, sent: 0x010203, number: 5, totalBytes: 8_388_608 },
      body: Uint8Array.of(0xaa, 0xbb),
    })
  })

  it('that ends one', () => {
    const frame = annotatedBytes(`
      2a           # type 1, 8 bulk, 2 last
      ff ff ff fe  # seq
      03           # channel
      00 07        # ordinal
      80 02        # index 256
      cc           # body
    `)
    const head: MessageHead = { ...HEAD, stream: 1 }
    expect(encodeFragment({ ...head, opening: OPENING }, 256, true, 0, Uint8Array.of(0xcc))).toEqual(frame)
    expect(decodePiece(frame)).toEqual({
      stream: 1,
      seq: 0xfffffffe,
      channel: 3,
      ordinal: 7,
      opening: undefined,
      index: 256,
      last: true,
      start: undefined,
      body: Uint8Array.of(0xcc),
    })
  })
})

describe('an ack', () => {
  it('of two streams with an unread list', () => {
    const frame = annotatedBytes(`
      5a           # type 2, 16 unread list, streams 1 and 3
      00 03        # held
      00 14        # delay
      01 00 00 00  # window
      ff ff ff ff  # stream 1: next
      02           # stream 1: bitmap bytes
      01 80        # stream 1: frames 0 and 15
      00 00 00 00  # stream 3: next
      00           # stream 3: bitmap bytes
      02           # unread channels
      06           # channel 3, room
      00 00 00 07  # from ordinal 7
      ff 03        # channel 255, unicast
      ff ff ff ff  # from the last ordinal before the wrap
    `)
    const ack = {
      heldMs: 3,
      delayMs: 20,
      windowBytes: 16_777_216,
      streams: [
        { stream: 1, next: 0xffffffff, bitmap: Uint8Array.of(1, 0x80) },
        { stream: 3, next: 0, bitmap: new Uint8Array() },
      ],
      unread: [
        { channel: 3, audience: 'room', ordinal: 7 },
        { channel: 255, audience: 'unicast', ordinal: 0xffffffff },
      ],
    } as const
    expect(encodeAck(ack)).toEqual(frame)
    expect(decodeAck(frame)).toEqual(ack)
  })

  it('of nothing says the window; times that do not fit are cut', () => {
    const frame = annotatedBytes(`
      40           # type 2
      ff ff        # held: 65,535 ms or more
      00 0b        # delay: 10.6 ms, rounded
      00 00 00 00  # window
    `)
    expect(encodeAck({ heldMs: 1e9, delayMs: 10.6, windowBytes: 0, streams: [], unread: [] })).toEqual(frame)
    expect(decodeAck(frame)).toEqual({ heldMs: 65_535, delayMs: 11, windowBytes: 0, streams: [], unread: [] })
  })
})

describe('a ping', () => {
  it.each([
    [false, '60'],
    [true, '61'],
  ])('that wants an ack: %s', (wantsAck, head) => {
    const frame = annotatedBytes(`
      ${head}      # type 3, 1 wants an ack
      de ad be ef  # nonce
    `)
    expect(encodePing(0xdeadbeef, wantsAck)).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.ping)
    expect(decodePing(frame)).toEqual({ nonce: 0xdeadbeef, wantsAck })
  })

  it('is answered by a pong', () => {
    const frame = annotatedBytes(`
      80           # type 4
      de ad be ef  # nonce
    `)
    expect(encodePong(0xdeadbeef)).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.pong)
    expect(decodePing(frame).nonce).toBe(0xdeadbeef)
  })
})

describe('a greeting', () => {
  const greeting = {
    generation: 2,
    known: 0,
    afterCut: false,
    instance: '000102030405060708090a0b0c0d0e0f' as InstanceId,
    delayMs: 20,
    uplinkRttMs: 30,
    starts: [10, 11, 12, 0xffffffff],
    channels: [{ channel: 3, ordinal: 8, name: 'm:a' }],
  } as const

  it('without channels', () => {
    const frame = annotatedBytes(`
      a0                                               # type 5
      00 00 00 02                                      # generation
      00 00 00 00                                      # known
      00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  # instance
      00 14                                            # delay
      00 1e                                            # uplink round trip
      00 00 00 0a                                      # stream 0 starts
      00 00 00 0b                                      # stream 1 starts
      00 00 00 0c                                      # stream 2 starts
      ff ff ff ff                                      # stream 3 starts
      00                                               # channels
    `)
    expect(encodeGreeting({ ...greeting, channels: [] })).toEqual(frame)
    expect(decodeGreeting(frame)).toEqual({ ...greeting, channels: [] })
  })

  it('after a cut, with a channel', () => {
    const frame = annotatedBytes(`
      a1                                               # type 5, 1 after a cut
      00 00 00 02                                      # generation
      00 00 00 01                                      # known
      00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  # instance
      00 14                                            # delay
      00 1e                                            # uplink round trip
      00 00 00 0a                                      # stream 0 starts
      00 00 00 0b                                      # stream 1 starts
      00 00 00 0c                                      # stream 2 starts
      ff ff ff ff                                      # stream 3 starts
      01                                               # channels
      03                                               # channel
      00 00 00 08                                      # ordinal
      03                                               # length of the name
      6d 3a 61                                         # m:a
    `)
    expect(encodeGreeting({ ...greeting, known: 1, afterCut: true })).toEqual(frame)
    expect(decodeGreeting(frame)).toEqual({ ...greeting, known: 1, afterCut: true })
  })

  it('is confirmed by its generation', () => {
    const frame = annotatedBytes(`
      c0           # type 6
      00 00 00 02  # generation
    `)
    expect(encodeGreeted(2)).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.greeted)
    expect(decodeGreeted(frame)).toEqual({ generation: 2 })
  })
})

describe('a latest value', () => {
  it.each([
    ['room', 'e0'],
    ['unicast', 'f0'],
  ] as const)('to: %s', (audience, head) => {
    const frame = annotatedBytes(`
      ${head}      # type 7, 16 unicast, content 0: JSON
      05           # channel
      ff ff ff ff  # counter
      01 02 03     # sent
      03           # length of the key
      e2 82 ac     # €
      7b 7d        # body
    `)
    const value = {
      audience,
      channel: 5,
      counter: 0xffffffff,
      sent: 0x010203,
      key: '€',
      content: CONTENT.json,
      body: encodeText('{}'),
    } as const
    expect(encodeLatest(value)).toEqual(frame)
    expect(frameType(frame)).toBe(FRAME.latest)
    expect(decodeLatest(frame)).toEqual(value)
  })
})
