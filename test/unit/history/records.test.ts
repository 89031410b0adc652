import { describe, expect, it } from 'vitest'
import {
  decodeInside,
  decodePlainBody,
  decodeStoreRecord,
  encodeInside,
  encodePlainBody,
  encodeStoreRecord,
  ProtocolError,
  type StoreRecord,
  storeRecordId,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'

const text = (bytes: number) => fc.string({ unit: 'binary', minLength: 1, maxLength: Math.floor(bytes / 4) })
const record: fc.Arbitrary<StoreRecord> = fc.record({
  n: fc.integer({ min: 1, max: 0xffff_ffff }),
  channel: fc.nat(255),
  ordinal: fc.nat(0xffff_ffff),
  name: text(60),
  user: fc.option(text(128), { nil: undefined }),
  body: fc.uint8Array({ maxLength: 40 }),
})

describe('a record', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(decodeStoreRecord(encodeStoreRecord(one))).toEqual(one)
      }),
    )
  })

  it('is read, or is a ProtocolError, whatever became of it', () => {
    const changed = fc
      .tuple(record, fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 }), fc.nat(150))
      .map(([one, changes, length]) => {
        const bytes = encodeStoreRecord(one)
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        return bytes.subarray(0, length)
      })
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        for (const read of [decodeStoreRecord, decodePlainBody, decodeInside]) {
          try {
            read(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        }
      }),
    )
  })

  it('has the id of the live message', () => {
    const one = { n: 9, channel: 2, ordinal: 7, name: 'chat', user: undefined, body: new Uint8Array() }
    expect(storeRecordId('ff', one)).toBe('ff-2-7')
    expect(storeRecordId('ff', { ...one, user: 'ada' })).toBe('ff-2-u7')
  })

  it('has a body with a time in full', () => {
    const inside = { content: 1, sentAtMs: 1_750_000_123_456, data: Uint8Array.of(1, 2) } as const
    expect(decodeInside(encodeInside(inside))).toEqual(inside)
    expect(decodePlainBody(encodePlainBody(inside))).toEqual(inside)
    expect(() => decodePlainBody(Uint8Array.of(5, 1, 0, 0, 0, 0, 0, 0))).toThrow(ProtocolError)
    expect(() => decodeInside(Uint8Array.of(3, 0, 0, 0, 0, 0, 0))).toThrow(/content/)
  })
})
