import { beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../../../signaling/protocol/index.ts'
import { CHUNK_BYTES, encodeChunk } from '../../../web/client/channel/offer-wire.ts'
import fc from '../../support/properties.ts'
import { content, errorOf, MIB, OfferRoom, read } from './offer-room.ts'
import { ADA, BEN, CAT } from './port-network.ts'
import { expectAllHandled } from './unhandled-rejections.ts'

let room: OfferRoom

beforeEach(() => {
  room = new OfferRoom()
})
expectAllHandled()

describe('a hostile member', () => {
  it('that sends other chunks than are due ends its own transfer with protocol', async () => {
    const due = CHUNK_BYTES
    const wrong: [string, number, number][] = [
      ['the second first', 1, due],
      ['too short', 0, due - 1],
      ['too long', 0, due + 1],
      ['empty', 0, 0],
    ]
    for (const [name, index, size] of wrong) {
      const [ada, ben] = [room.member(ADA), room.member(BEN)]
      const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB))
      room.data.loses = () => true
      const seen = read(incoming.accept())
      ada.data.send(new Uint8Array(1), [])
      ben.data.receive({ from: ADA, data: encodeChunk(1, index, new Uint8Array(size)), id: '', sentAtMs: 0 })
      await room.clock.until(() => seen.code !== undefined)
      expect([name, seen.code, seen.bytes]).toEqual([name, 'protocol', 0])
      await room.clock.until(() => outgoing.transfers.get(BEN) === 'failed')
      room.data.loses = () => false
    }
  })

  it('that sends beyond the window, or beyond the end, is cut', async () => {
    const [cat, ben] = [room.control.port(CAT), room.member(BEN)]
    const announce = { t: 'offer', n: 5, channel: 'files', name: 'x', type: '', sizeBytes: 9 * MIB, meta: null }
    cat.send(announce, BEN)
    cat.send({ ...announce, n: 6, sizeBytes: 10 }, BEN)
    await room.clock.until(() => ben.offered.length === 2)
    const flood = ben.offered[0]?.accept() as ReadableStream<Uint8Array>
    for (let index = 0; index < 65; index += 1)
      room.data.port(CAT).send(encodeChunk(5, index, new Uint8Array(CHUNK_BYTES)), BEN)
    await room.clock.pass(20)
    expect(await errorOf(flood)).toBe('protocol')
    const long = read(ben.offered[1]?.accept() as ReadableStream<Uint8Array>)
    for (const index of [0, 1]) room.data.port(CAT).send(encodeChunk(6, index, new Uint8Array(10)), BEN)
    await room.clock.until(() => long.code === 'protocol')
  })

  it('that claims progress of what was not sent ends its own transfer', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB))
    incoming.accept()
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'running')
    ben.control.send({ t: 'progress', n: 1, bytes: 9 * MIB }, ADA)
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'failed')
  })

  it('cannot hold more than 256 offers open at us', async () => {
    const [cat, ben] = [room.control.port(CAT), room.member(BEN)]
    for (let n = 0; n < 300; n += 1) {
      cat.send({ t: 'offer', n, channel: 'files', name: 'x', type: '', sizeBytes: 1, meta: null }, BEN)
    }
    await room.clock.pass(20)
    expect(ben.offered.length).toBe(256)
  })

  it('that sends malformed messages ends what it has with us, and nobody else’s', async () => {
    const [ada, ben, cat] = [room.member(ADA), room.member(BEN), room.member(CAT)]
    const good = await room.offered(ada, ben, content(9 * MIB))
    const bad = await room.offered(cat, ben, content(9 * MIB))
    const streams = [good.incoming.accept(), bad.incoming.accept()] as const
    await room.clock.pass(50)
    cat.control.send({ t: 'offer', n: 7, channel: 'files', name: 'x'.repeat(2_000), type: '', sizeBytes: 1 }, BEN)
    await room.clock.until(() => bad.outgoing.transfers.get(BEN) === 'failed' || bad.incoming.withdrawn.aborted)
    expect(await errorOf(streams[1])).toBe('protocol')
    const seen = read(streams[0])
    await room.clock.until(() => seen.done)
  })

  it('cannot disturb with any message', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const port = { control: room.control.port(CAT), data: room.data.port(CAT) }
    const t = fc.constantFrom('offer', 'withdraw', 'accept', 'progress', 'decline', 'else')
    const number = fc.oneof(fc.nat({ max: 4 }), fc.double(), fc.maxSafeInteger())
    const message = fc.record(
      {
        t: fc.oneof(t, fc.jsonValue()),
        n: number,
        channel: fc.oneof(fc.constant('files'), fc.jsonValue()),
        name: fc.oneof(fc.string(), fc.jsonValue()),
        type: fc.string(),
        sizeBytes: number,
        meta: fc.jsonValue(),
        windowBytes: number,
        bytes: number,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(message, fc.jsonValue()), fc.uint8Array({ maxLength: 30 }), async (one, bytes) => {
        port.control.send(one as Json, [ADA, BEN])
        port.data.send(bytes, [ADA, BEN])
        await room.clock.pass(2)
      }),
      { numRuns: 300 },
    )
    await room.clock.pass(30)
    const { outgoing, incoming } = await room.offered(ada, ben, content(MIB))
    read(incoming.accept())
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
  })
})
