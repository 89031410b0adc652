import { describe, expect, it } from 'vitest'
import {
  type Address,
  ENVELOPE,
  encodeText,
  envelopeLength,
  fromEnvelope,
  type PeerId,
  ProtocolError,
  readEnvelope,
  stampSender,
  wordsOf,
  writeEnvelope,
} from '../../../signaling/protocol/index.ts'
import { annotatedBytes } from './annotated-bytes.ts'

const ADA = '1032547698badcfe' as PeerId
const BOB = '00112233445566ff' as PeerId
const EVE = '8899aabbccddeeff' as PeerId
const PAYLOAD = encodeText('abc')

function written(address: Address, slot?: number): Uint8Array {
  const bytes = new Uint8Array(envelopeLength(address, PAYLOAD.length, slot)).fill(0xee)
  expect(writeEnvelope(bytes, 0, address, PAYLOAD, slot)).toBe(bytes.length)
  return bytes
}

describe('an envelope', () => {
  it('to one member', () => {
    const bytes = annotatedBytes(`
      01                       # kind: one
      00                       # flags
      00 00                    # n
      00 00 00 03              # length of the payload
      00 11 22 33 44 55 66 ff  # the receiver
      61 62 63                 # payload
    `)
    expect(written({ kind: 'one', id: BOB })).toEqual(bytes)
    expect(readEnvelope(bytes, 0)).toEqual({
      kind: ENVELOPE.one,
      start: 0,
      end: 19,
      peer: BOB,
      ids: [],
      slot: undefined,
      payloadStart: 16,
    })
  })

  it('to several, droppable', () => {
    const bytes = annotatedBytes(`
      02                       # kind: several
      01                       # flags: droppable
      00 02                    # n
      00 00 00 03              # length of the payload
      00 00 00 00 00 00 00 00  # no peer id
      00 11 22 33 44 55 66 ff  # first receiver
      88 99 aa bb cc dd ee ff  # second receiver
      ff ff ff ff              # slot
      61 62 63                 # payload
    `)
    expect(written({ kind: 'several', ids: [BOB, EVE] }, 0xffffffff)).toEqual(bytes)
    expect(readEnvelope(bytes, 0)).toEqual({
      kind: ENVELOPE.several,
      start: 0,
      end: 39,
      peer: undefined,
      ids: [BOB, EVE],
      slot: 0xffffffff,
      payloadStart: 36,
    })
  })

  it('to all, droppable with slot 0', () => {
    const bytes = annotatedBytes(`
      03                       # kind: all
      01                       # flags: droppable
      00 00                    # n
      00 00 00 03              # length of the payload
      00 00 00 00 00 00 00 00  # no peer id
      00 00 00 00              # slot
      61 62 63                 # payload
    `)
    expect(written({ kind: 'all' }, 0)).toEqual(bytes)
    expect(readEnvelope(bytes, 0)).toMatchObject({ kind: ENVELOPE.all, peer: undefined, slot: 0, payloadStart: 20 })
  })

  it('to all except one', () => {
    const bytes = annotatedBytes(`
      04                       # kind: all except
      00                       # flags
      00 01                    # n
      00 00 00 03              # length of the payload
      00 00 00 00 00 00 00 00  # no peer id
      88 99 aa bb cc dd ee ff  # who does not get it
      61 62 63                 # payload
    `)
    expect(written({ kind: 'except', ids: [EVE] })).toEqual(bytes)
    expect(readEnvelope(bytes, 0)).toMatchObject({ kind: ENVELOPE.except, ids: [EVE], payloadStart: 24 })
  })

  it('from a member', () => {
    const bytes = annotatedBytes(`
      05                       # kind: from
      01                       # flags: droppable
      00 00                    # n
      00 00 00 03              # length of the payload
      10 32 54 76 98 ba dc fe  # the sender
      00 00 00 05              # slot
      61 62 63                 # payload
    `)
    expect(fromEnvelope(ADA, PAYLOAD, 5)).toEqual(bytes)
    expect(readEnvelope(bytes, 0)).toMatchObject({ kind: ENVELOPE.from, peer: ADA, slot: 5, end: 23 })
  })

  it.each([
    ['one', { kind: 'one', id: BOB }],
    ['all', { kind: 'all' }],
  ] as const)('to %s becomes the one from its sender in place', (_, address) => {
    const bytes = written(address, 5)
    stampSender(bytes, 0, wordsOf(ADA))
    expect(bytes).toEqual(fromEnvelope(ADA, PAYLOAD, 5))
  })

  it('is followed by the next, wherever it starts', () => {
    const first = written({ kind: 'several', ids: [BOB] })
    const second = written({ kind: 'one', id: EVE }, 7)
    const padded = new Uint8Array(100)
    padded.set(first, 9)
    padded.set(second, 9 + first.length)
    const bytes = padded.subarray(9, 9 + first.length + second.length)
    const { end } = readEnvelope(bytes, 0)
    expect(end).toBe(first.length)
    const { peer, payloadStart, end: secondEnd } = readEnvelope(bytes, end)
    expect(peer).toBe(EVE)
    expect(bytes.subarray(payloadStart, secondEnd)).toEqual(PAYLOAD)
    expect(secondEnd).toBe(bytes.length)
  })
})

describe('a malformed envelope names the field', () => {
  const good = written({ kind: 'several', ids: [BOB, EVE] }, 5)
  it.each([
    ['envelope', 'a header cut short', good.subarray(0, 15)],
    ['envelope.kind', 'kind 0', changed(good, 0, 0)],
    ['envelope.kind', 'kind 7', changed(good, 0, 7)],
    ['envelope.flags', 'a flag that has no meaning', changed(good, 1, 3)],
    ['envelope.n', 'ids where there are none', changed(good, 0, ENVELOPE.all)],
    ['envelope.n', 'more than 1,024 ids', changed(good, 2, 5)],
    ['envelope.length', 'more bytes than there are', changed(good, 7, 4)],
    ['envelope.length', 'more ids than there are bytes', changed(good, 3, 3)],
    ['envelope.length', 'a payload over the limit', changed(good, 5, 2)],
  ])('%s: %s', (field, _, bytes) => {
    const read = (): unknown => readEnvelope(bytes, 0)
    expect(read).toThrow(ProtocolError)
    expect(read).toThrow(new RegExp(`^${field}: `))
  })

  it('takes a payload of exactly the limit, and none over it', () => {
    expect(readEnvelope(written({ kind: 'all' }), 0, 3).end).toBe(19)
    expect(() => readEnvelope(written({ kind: 'all' }), 0, 2)).toThrow(/^envelope.length: /)
  })
})

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}
