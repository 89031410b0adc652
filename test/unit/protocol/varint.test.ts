import { describe, expect, it } from 'vitest'
import {
  ByteReader,
  ByteWriter,
  decodeText,
  encodeText,
  hexAt,
  ProtocolError,
  varintBytes,
  writeHex,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'
import { annotatedBytes } from './annotated-bytes.ts'

function encoded(value: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(8))
  writer.varint(value)
  return writer.bytes.subarray(0, writer.position)
}

describe('a varint', () => {
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '80 01'],
    [16_383, 'ff 7f'],
    [16_384, '80 80 01'],
    [2_097_151, 'ff ff 7f'],
    [2_097_152, '80 80 80 01'],
    [268_435_455, 'ff ff ff 7f'],
    [268_435_456, '80 80 80 80 01'],
    [4_294_967_295, 'ff ff ff ff 0f'],
  ])('of %i', (value, hex) => {
    expect(encoded(value)).toEqual(annotatedBytes(hex))
    expect(varintBytes(value)).toBe(encoded(value).length)
    expect(new ByteReader(annotatedBytes(hex)).varint()).toBe(value)
  })

  it('comes back as it went, and takes the bytes that were said', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff_ffff }), (value) => {
        const bytes = encoded(value)
        expect(bytes).toHaveLength(varintBytes(value))
        const reader = new ByteReader(bytes)
        expect(reader.varint()).toBe(value)
        expect(reader.remaining).toBe(0)
      }),
    )
  })

  it.each([
    ['33 bits', 'ff ff ff ff 1f'],
    ['six bytes', '80 80 80 80 80 01'],
    ['bytes without an end', 'ff ff ff ff ff ff ff ff'],
    ['an end that is missing', '80 80'],
    ['nothing', ''],
  ])('of %s is refused', (_, hex) => {
    expect(() => new ByteReader(annotatedBytes(hex)).varint()).toThrow(ProtocolError)
  })
})

describe('bytes of fixed width', () => {
  it('are big-endian', () => {
    const writer = new ByteWriter(new Uint8Array(10))
    writer.u8(1)
    writer.u16(0x0203)
    writer.u24(0x040506)
    writer.u32(0x0708090a)
    expect(writer.bytes).toEqual(annotatedBytes('01 02 03 04 05 06 07 08 09 0a'))
    const reader = new ByteReader(writer.bytes)
    expect([reader.u8(), reader.u16(), reader.u24(), reader.u32()]).toEqual([1, 0x0203, 0x040506, 0x0708090a])
    for (const read of ['u8', 'u16', 'u24', 'u32'] as const) expect(() => reader[read]()).toThrow(ProtocolError)
  })

  it('are read where a view begins', () => {
    const reader = new ByteReader(annotatedBytes('ff 01 02 03 ff').subarray(1, 4))
    expect(reader.u24()).toBe(0x010203)
    expect(() => reader.u8()).toThrow(ProtocolError)
  })
})

describe('text', () => {
  it('comes back as it went, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeText(encodeText(text))).toBe(text)
      }),
    )
    expect(decodeText(encodeText('\ufeffhi'))).toBe('\ufeffhi')
  })

  it.each(['ff', 'c3', 'ed a0 80', 'c0 80', 'f4 90 80 80'])('of bytes that are not UTF-8 is refused: %s', (hex) => {
    expect(() => decodeText(annotatedBytes(hex))).toThrow(ProtocolError)
  })

  it('longer than it may be is refused before it is read', () => {
    const bytes = annotatedBytes('03 61 62 63')
    expect(new ByteReader(bytes).text(3)).toBe('abc')
    expect(() => new ByteReader(bytes).text(2)).toThrow(/at most|more than 2 bytes/)
  })
})

describe('hex', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat({ max: 4 }), (bytes, offset) => {
        const target = new Uint8Array(offset + bytes.length)
        const text = hexAt(bytes, 0, bytes.length)
        writeHex(text, target, offset)
        expect(target.subarray(offset)).toEqual(bytes)
        expect(hexAt(target, offset, bytes.length)).toBe(text)
      }),
    )
  })
})
