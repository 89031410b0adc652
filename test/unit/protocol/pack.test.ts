import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePing, FRAME, frameType, PackWriter, unpack } from '../../../signaling/protocol/index.ts'
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
    ['a run of no frames', [0xff, 0, 0, 1, 9]],
    ['frames of no bytes', [0xff, 255, 0, 0, 9]],
    ['a run that is cut off', [0xff, 2, 0, 2, 9, 9, 9]],
    ['a head that is cut off', [0xff, 2, 0]],
    ['nothing', [0xff]],
  ])('with %s ends there: what came before it counts', (_, bytes) => {
    const good = [...packed([frame(3)])]
    expect(unpacked(Uint8Array.from([...good, ...bytes.slice(1)]))[0]).toEqual([1, 1, 1])
    expect(
      unpacked(Uint8Array.from(bytes))
        .flat()
        .every((byte) => byte === 9),
    ).toBe(true)
    expect(unpacked(Uint8Array.from(bytes)).length).toBeLessThanOrEqual(1)
  })
})
