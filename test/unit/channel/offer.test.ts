import { beforeEach, describe, expect, it } from 'vitest'
import { CHUNK_BYTES, encodeChunk } from '../../../web/client/channel/offer-wire.ts'
import type { FileOffer, TransferProgress } from '../../../web/client/face.ts'
import { turn } from './client-clock.ts'
import { content, MIB, OfferRoom, read } from './offer-room.ts'
import { ADA, BEN, CAT } from './port-network.ts'
import { expectAllHandled } from './unhandled-rejections.ts'

let room: OfferRoom

beforeEach(() => {
  room = new OfferRoom()
})
expectAllHandled()

describe('an offered file', () => {
  it('is announced with what it is, under the same id at both ends', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const file = new File(['hello'], 'notes.txt', { type: 'text/plain' })
    const { outgoing, incoming } = await room.offered(ada, ben, file, { meta: { width: 3 } })
    expect(incoming).toMatchObject({ id: outgoing.id, from: ADA, name: 'notes.txt', type: 'text/plain', sizeBytes: 5 })
    expect(incoming).toMatchObject({ meta: { width: 3 }, sentAtMs: 0 })
    expect(incoming.withdrawn.aborted).toBe(false)
    expect([...outgoing.transfers]).toEqual([])
    expect(room.data.port(ADA).sent).toEqual([])
    const other = await room.offered(ada, ben, new Blob(['x']), { name: 'n' })
    expect([other.incoming.name, (await room.offered(ada, ben, new Blob(['x']))).incoming.name]).toEqual(['n', 'file'])
  })

  it('moves to whoever accepts, whole and in order, with progress by what the reader took', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const [sending, receiving]: [TransferProgress[], TransferProgress[]] = [[], []]
    const bytes = content(3 * MIB + 17)
    const { outgoing, incoming } = await room.offered(ada, ben, bytes, {
      onProgress: (progress) => sending.push(progress),
    })
    const seen = read(incoming.accept({ onProgress: (progress) => receiving.push(progress) }))
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'running')
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(seen.done).toBe(true)
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
    for (const progress of [sending, receiving]) {
      expect(progress.map((step) => step.bytes)).toEqual([...progress.map((step) => step.bytes)].sort((a, b) => a - b))
      expect(progress.length).toBeGreaterThan(5)
    }
    expect(sending.at(-1)).toEqual({ peer: BEN, bytes: bytes.length, totalBytes: bytes.length })
    expect(receiving.at(-1)).toEqual({ peer: ADA, bytes: bytes.length, totalBytes: bytes.length })
  })

  it('may be of any size around a chunk, nothing included', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 4 * CHUNK_BYTES, 4 * CHUNK_BYTES + 1]) {
      const { outgoing, incoming } = await room.offered(ada, ben, content(size))
      const seen = read(incoming.accept())
      await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
      expect([size, seen.done, Buffer.concat(seen.chunks).equals(content(size))]).toEqual([size, true, true])
    }
  })

  it('moves to several at once, each at its own pace, and only to those who accept', async () => {
    const [ada, ben, cat] = [room.member(ADA), room.member(BEN), room.member(CAT)]
    const bytes = content(6 * MIB)
    const { outgoing, incoming } = await room.offered(ada, ben, bytes)
    const slow = incoming.accept().getReader()
    const fast = read(cat.offered[0]?.accept() as ReadableStream<Uint8Array>)
    await room.clock.until(() => fast.done)
    await room.clock.until(() => outgoing.transfers.get(CAT) === 'done')
    expect(outgoing.transfers.get(BEN)).toBe('running')
    let bytesRead = 0
    for (let next = slow.read(); bytesRead < bytes.length; next = slow.read()) {
      let got: number | undefined
      void next.then(({ value }) => (got = value?.length))
      await room.clock.until(() => got !== undefined)
      bytesRead += got ?? 0
    }
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
  })

  it('waits for a slow reader with 4 MiB under way at most', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { incoming } = await room.offered(ada, ben, content(12 * MIB))
    const reader = incoming.accept().getReader()
    await room.clock.pass(500)
    const sentBytes = (): number =>
      room.data.port(ADA).sent.reduce<number>((sum, chunk) => sum + (chunk as Uint8Array).length - 9, 0)
    expect(sentBytes()).toBeGreaterThan(4 * MIB - CHUNK_BYTES)
    expect(sentBytes()).toBeLessThanOrEqual(4 * MIB)
    for (let count = 0; count < 16; count += 1) await reader.read()
    await room.clock.pass(500)
    expect(sentBytes()).toBeGreaterThan(4.7 * MIB)
    expect(sentBytes()).toBeLessThanOrEqual(4 * MIB + 16 * CHUNK_BYTES)
    await reader.cancel()
  })

  it('reaches a handler that comes later', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    ada.offers.offer('later', new Blob(['x']))
    const gone = ada.offers.offer('later', new Blob(['x']))
    await room.clock.pass(20)
    gone.withdraw()
    await room.clock.pass(20)
    const late: FileOffer[] = []
    ben.offers.on('later', (each) => late.push(each))
    await turn()
    expect(late.length).toBe(1)
    expect(ben.offered.length).toBe(0)
  })

  it('is for those addressed: another who names it gets nothing', async () => {
    const [ada, ben, cat] = [room.member(ADA), room.member(BEN), room.member(CAT)]
    const { outgoing } = await room.offered(ada, ben, content(10), { to: BEN })
    expect(cat.offered).toEqual([])
    cat.control.send({ t: 'accept', n: 1, windowBytes: 4 * MIB }, ADA)
    await room.clock.pass(50)
    expect([...outgoing.transfers]).toEqual([])
    expect(room.data.port(ADA).sent).toEqual([])
  })
})

describe('the wire', () => {
  it('has these bytes', () => {
    // chunk · offer 1 · index 258 · three bytes of the file
    expect(Buffer.from(encodeChunk(1, 258, new Uint8Array([7, 8, 9]))).toString('hex')).toBe('000000000100000102070809')
    // With its head, four fragments.
    expect(encodeChunk(1, 0, new Uint8Array(CHUNK_BYTES)).length).toBe(65_536)
  })

  it('says each thing once, as JSON', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, new File(['abc'], 'a.txt', { type: 'text/plain' }))
    const seen = read(incoming.accept())
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done' && seen.done)
    const announced = {
      t: 'offer',
      n: 1,
      channel: 'files',
      name: 'a.txt',
      type: 'text/plain',
      sizeBytes: 3,
      meta: null,
    }
    expect(ada.control.sent).toEqual([announced])
    expect(ben.control.sent).toEqual([
      { t: 'accept', n: 1, windowBytes: 4 * MIB },
      { t: 'progress', n: 1, bytes: 3 },
    ])
  })
})
