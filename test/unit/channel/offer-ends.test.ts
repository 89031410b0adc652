import { beforeEach, describe, expect, it } from 'vitest'
import { content, errorOf, MIB, OfferRoom, read } from './offer-room.ts'
import { ADA, BEN, CAT } from './port-network.ts'
import { expectAllHandled } from './unhandled-rejections.ts'

let room: OfferRoom

beforeEach(() => {
  room = new OfferRoom()
})
expectAllHandled()

describe('an offer ends', () => {
  it('declined', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(10))
    incoming.decline()
    incoming.decline()
    expect(() => incoming.accept()).toThrow('declined')
    expect(incoming.withdrawn.aborted).toBe(true)
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'declined')
  })

  it('accepted once only', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { incoming } = await room.offered(ada, ben, content(10))
    read(incoming.accept())
    expect(() => incoming.accept()).toThrow('accepted already')
    await room.clock.pass(100)
    expect(() => incoming.accept()).toThrow('accepted already')
  })

  it('withdrawn: no longer acceptable, and running transfers end at both ends', async () => {
    const [ada, ben, cat] = [room.member(ADA), room.member(BEN), room.member(CAT)]
    const abort = new AbortController()
    const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB), { signal: abort.signal })
    const stream = incoming.accept()
    await room.clock.pass(100)
    abort.abort()
    outgoing.withdraw()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    await room.clock.until(() => incoming.withdrawn.aborted && cat.offered[0]?.withdrawn.aborted === true)
    expect(await errorOf(stream)).toBe('withdrawn')
    expect(await errorOf(cat.offered[0]?.accept() as ReadableStream<Uint8Array>)).toBe('withdrawn')
    expect(outgoing.transfers.has(CAT)).toBe(false)
  })

  it('withdrawn while the acceptance was on its way', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(10))
    outgoing.withdraw()
    const seen = read(incoming.accept())
    await room.clock.until(() => seen.code !== undefined)
    expect(seen.code).toBe('withdrawn')
  })

  it('cancelled by the reader, or by its signal, and the sender stops', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const first = await room.offered(ada, ben, content(9 * MIB))
    const reader = first.incoming.accept().getReader()
    await room.clock.pass(50)
    await reader.cancel()
    await room.clock.until(() => first.outgoing.transfers.get(BEN) === 'failed')
    const second = await room.offered(ada, ben, content(9 * MIB))
    const abort = new AbortController()
    const stream = second.incoming.accept({ signal: abort.signal })
    await room.clock.pass(50)
    abort.abort()
    expect(await errorOf(stream)).toBe('aborted')
    await room.clock.until(() => second.outgoing.transfers.get(BEN) === 'failed')
    const third = await room.offered(ada, ben, content(10))
    expect(await errorOf(third.incoming.accept({ signal: AbortSignal.abort() }))).toBe('aborted')
    const sent = room.data.port(ADA).sent.length
    await room.clock.pass(100)
    expect(room.data.port(ADA).sent.length).toBe(sent)
  })

  it('when either side leaves', async () => {
    const [ada, ben, cat] = [room.member(ADA), room.member(BEN), room.member(CAT)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB))
    const stream = incoming.accept()
    await room.clock.pass(50)
    cat.leave()
    ben.leave()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    expect(outgoing.transfers.has(CAT)).toBe(false)
    ben.control.leave(ADA)
    expect(await errorOf(stream)).toBe('left')
    expect(incoming.withdrawn.aborted).toBe(true)
  })

  it('not for a reader that has all the bytes when the sender leaves', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const bytes = content(2 * MIB)
    const { incoming } = await room.offered(ada, ben, bytes)
    const stream = incoming.accept()
    await room.clock.pass(200)
    ada.leave()
    const seen = read(stream)
    await room.clock.until(() => seen.done)
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
  })

  it('when the file cannot be read any more, or has become shorter', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    class Changed extends Blob {
      override slice(start = 0, end = 0): Blob {
        return start < MIB ? super.slice(start, end) : this.later(start, end)
      }
      later(start: number, _end: number): Blob {
        return super.slice(start, start + 1)
      }
    }
    class Gone extends Changed {
      override later(): Blob {
        return { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) } as unknown as Blob
      }
    }
    for (const Kind of [Changed, Gone]) {
      const { outgoing, incoming } = await room.offered(ada, ben, new Kind([content(3 * MIB)] as BlobPart[]))
      const seen = read(incoming.accept())
      await room.clock.until(() => outgoing.transfers.get(BEN) === 'failed' && seen.code !== undefined)
      expect(seen.code).toBe('withdrawn')
    }
  })

  it('when part of it was lost for good, so that nobody waits for ever or gets a file with a hole', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB))
    room.data.loses = (_from, _to, chunk) => new DataView((chunk as Uint8Array<ArrayBuffer>).buffer).getUint32(5) === 80
    const seen = read(incoming.accept())
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'failed' && seen.code !== undefined)
    expect(seen.done).toBe(false)
  })

  it('with the room, and leaves nothing behind', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const { outgoing, incoming } = await room.offered(ada, ben, content(9 * MIB))
    const stream = incoming.accept()
    await room.clock.pass(50)
    ada.offers.close()
    ben.offers.close()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    expect(await errorOf(stream)).toBe('closed')
    await room.clock.pass(100)
    expect(room.clock.pending()).toBe(0)
    expect([ada.control, ada.data, ben.control, ben.data].map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0])
  })
})

describe('what is said about a transfer', () => {
  it('is said again when it was lost because one cut the other off', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    for (const size of [0, MIB, 5 * MIB]) {
      for (const lost of ['accept', 'progress', 'decline', 'withdraw']) {
        const { outgoing, incoming } = await room.offered(ada, ben, content(size))
        let toLose = 3
        room.control.loses = (_from, _to, message) => {
          if (toLose === 0 || (message as { t: string }).t !== lost) return false
          toLose -= 1
          return true
        }
        if (lost === 'decline') {
          incoming.decline()
          await room.clock.until(() => outgoing.transfers.get(BEN) === 'declined')
        } else if (lost === 'withdraw') {
          outgoing.withdraw()
          await room.clock.until(() => incoming.withdrawn.aborted)
        } else {
          const seen = read(incoming.accept())
          await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
          expect([seen.done, seen.bytes]).toEqual([true, size])
        }
      }
    }
  })
})
