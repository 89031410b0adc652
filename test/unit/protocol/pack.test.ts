import { describe, expect, it } from 'vitest'
import {
  decodeLatest,
  encodePing,
  FRAME,
  frameType,
  PackWriter,
  ProtocolError,
  unpack,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'
import { annotatedBytes } from './annotated-bytes.ts'

function packed(frames: readonly Uint8Array[], maxBytes = 65_536): Uint8Array {
  const writer = new PackWriter(maxBytes)
  for (const frame of frames) expect(writer.add(frame)).toBe(true)
  return writer.take()
}

function unpacked(pack: Uint8Array): number[][] {
  const frames: number[][] = []
  unpack(pack, (frame) => frames.push([...frame]))
  return frames
}

const frame = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value)

describe('a pack', () => {
  it('is runs of frames of one length', () => {
    const bytes = annotatedBytes(`
      ff               # a pack
      02               # two frames
      00 05            # of 5 bytes
      61 00 00 00 01   # a ping that wants an ack
      60 00 00 00 02   # a ping
      01               # one frame
      01 01            # of 257 bytes
      ${'07 '.repeat(257)}
    `)
    const frames = [encodePing(1, true), encodePing(2, false), frame(257, 7)]
    expect(packed(frames)).toEqual(bytes)
    expect(unpacked(bytes)).toEqual(frames.map((one) => [...one]))
  })

  it('costs frames of one length next to nothing each: 4 bytes and 3 more for every 255', () => {
    expect(packed(Array.from({ length: 255 }, () => frame(60))).length).toBe(255 * 60 + 4)
    expect(packed(Array.from({ length: 256 }, () => frame(60))).length).toBe(256 * 60 + 7)
  })

  it('gives back what was put in, whatever its lengths', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 60 }),
        (frames) => {
          expect(unpacked(packed(frames))).toEqual(frames.map((one) => [...one]))
        },
      ),
    )
  })

  it('takes what fits with the longest head, and begins anew when it is taken', () => {
    const writer = new PackWriter(17)
    expect(writer.add(frame(14))).toBe(false)
    expect(writer.add(frame(13))).toBe(true)
    expect(writer.length).toBe(17)
    expect(writer.add(frame(1))).toBe(false)
    expect(unpacked(writer.take())).toEqual([[...frame(13)]])
    expect(writer.length).toBe(0)
    expect(writer.add(frame(13))).toBe(true)
    expect(writer.length).toBe(17)
  })

  it('is told from every frame by its first byte', () => {
    expect(packed([frame(1)])[0]).toBe(0xff)
    expect(unpacked(encodePing(1, true))).toEqual([[...encodePing(1, true)]])
    // Type 7 is a latest frame, whose flags are 16 and 0 to 3.
    expect(frameType(Uint8Array.of(0xff))).toBe(FRAME.latest)
  })

  it.each([
    ['a run of no frames', [0, 0, 1, 9], 0],
    ['frames of no bytes', [255, 0, 0, 9], 0],
    ['a run that is cut off', [2, 0, 2, 9, 9, 9], 1],
    ['a head that is cut off', [2, 0], 0],
    ['as many frames as can be said, of which none came', [255, 255, 255], 0],
    ['a byte too many', [1, 0, 1, 9, 9], 1],
  ])('with %s ends there, and says so by a frame of no bytes: what came before it counts', (_, bytes, count) => {
    const good = [...packed([frame(3)])]
    const whole = Array.from({ length: count }, () => expect.arrayContaining([9]))
    expect(unpacked(Uint8Array.from([...good, ...bytes]))).toEqual([[1, 1, 1], ...whole, []])
    expect(unpacked(Uint8Array.from([0xff, ...bytes]))).toEqual([...whole, []])
  })

  it('with nothing in it is malformed', () => {
    expect(unpacked(Uint8Array.of(0xff))).toEqual([[]])
  })

  it('does not stand in a pack, nor anywhere else where a frame is due', () => {
    expect(() => decodeLatest(packed([encodePing(1, true)]))).toThrow(ProtocolError)
  })

  it('whatever its bytes, gives no more frames than it has bytes, all of them views, and at most one fault, the last', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      // Nearly right: a pack with a few bytes changed, and its end cut off.
      fc
        .tuple(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 30 }),
          fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
          fc.nat(20),
        )
        .map(([frames, changes, cut]) => {
          const pack = packed(frames).slice(1)
          for (const [at, value] of changes) if (at < pack.length) pack[at] = value
          return pack.subarray(0, Math.max(0, pack.length - cut))
        }),
    )
    fc.assert(
      fc.property(bytes, (rest) => {
        const message = Uint8Array.of(0xff, ...rest)
        const lengths: number[] = []
        let taken = 0
        unpack(message, (one) => {
          lengths.push(one.length)
          taken += one.length
          if (one.length > 0) expect(one.buffer).toBe(message.buffer)
        })
        expect(taken).toBeLessThan(message.length)
        expect(lengths.slice(0, -1)).not.toContain(0)
        // It was a good pack exactly when packing its frames again needs no more bytes.
        if (lengths.at(-1) !== 0) expect(taken + 4).toBeLessThanOrEqual(message.length)
      }),
      { numRuns: 2_000 },
    )
  })
})
