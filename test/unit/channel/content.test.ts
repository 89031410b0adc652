import { describe, expect, it } from 'vitest'
import { CONTENT } from '../../../signaling/protocol/index.ts'
import { decodePayload, encodePayload } from '../../../web/client/channel/content.ts'
import fc from '../../support/properties.ts'

const through = (data: unknown): unknown => {
  const { content, body } = encodePayload(data, 1_000_000)
  return decodePayload(content, body)
}
const refusal = (data: unknown, maxBytes = 100): unknown => {
  try {
    return encodePayload(data, maxBytes)
  } catch (error) {
    return error
  }
}

describe('a payload', () => {
  it('comes back as it was, for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(through(value)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('comes back as it was, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(through(text)).toBe(text)
      }),
    )
  })

  it('comes back as it was, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(through(bytes)).toEqual(bytes)
      }),
    )
  })

  it('takes a text for text, also one that is JSON', () => {
    expect(through('{"a":1}')).toBe('{"a":1}')
    expect(encodePayload('', 10)).toEqual({ content: CONTENT.text, body: new Uint8Array() })
  })

  it('carries the bytes of every view and buffer, and only those in view', () => {
    const { buffer } = new Uint8Array([1, 2, 3, 4])
    expect(through(buffer)).toEqual(new Uint8Array([1, 2, 3, 4]))
    expect(through(new DataView(buffer, 1, 2))).toEqual(new Uint8Array([2, 3]))
    expect(through(new Uint16Array([0x0201]))).toEqual(new Uint8Array([1, 2]))
  })

  it('is not changed by what the application does with its bytes later, at either end', () => {
    const bytes = new Uint8Array([1, 2])
    const { body } = encodePayload(bytes, 10)
    bytes[0] = 9
    expect(body).toEqual(new Uint8Array([1, 2]))
    const packet = new Uint8Array([0, 7, 8])
    const received = decodePayload(CONTENT.binary, packet.subarray(1)) as Uint8Array
    packet[1] = 0
    expect(received).toEqual(new Uint8Array([7, 8]))
    expect(received.buffer.byteLength).toBe(2)
  })

  it('is refused when it has no JSON form', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    for (const data of [undefined, () => 1, Symbol('s'), 1n, { n: 1n }, cycle, new Map([[1, 2]]), new Blob(['x'])]) {
      expect(refusal(data)).toMatchObject({ name: 'PartylineError', code: 'bad-argument' })
    }
    expect(refusal(new Set())).toMatchObject({ message: 'Set has no JSON form: send JSON, text or bytes' })
    expect(
      refusal({
        toJSON: () => {
          throw new Error('no')
        },
      }),
    ).toMatchObject({ code: 'bad-argument' })
  })

  it('is taken when it is merely empty', () => {
    class Nothing {}
    for (const data of [{}, Object.create(null), new Nothing()]) expect(through(data)).toEqual({})
  })

  it('is refused over the limit, which the message names, and taken at it', () => {
    for (const over of ['x'.repeat(101), 'é'.repeat(51), new Uint8Array(101), new ArrayBuffer(101), ['x'.repeat(97)]]) {
      expect(refusal(over)).toMatchObject({ code: 'too-large', message: expect.stringContaining('limit of 100') })
    }
    expect(encodePayload('é'.repeat(50), 100).body.length).toBe(100)
  })

  it('is refused by the receiver when it is not what it says', () => {
    expect(() => decodePayload(CONTENT.json, new Uint8Array([0x7b]))).toThrow('expected JSON')
    expect(() => decodePayload(CONTENT.text, new Uint8Array([0xff]))).toThrow('not UTF-8')
  })
})
