import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json, PeerId } from '../../../signaling/protocol/index.ts'
import { Offers } from '../../../web/client/channel/offer.ts'
import { CHUNK_BYTES, encodeChunk } from '../../../web/client/channel/offer-wire.ts'
import { Transfers } from '../../../web/client/channel/transfers.ts'
import type { FileOffer, OfferOptions, TransferProgress } from '../../../web/client/face.ts'
import { ClientClock, turn } from './client-clock.ts'
import { ADA, BEN, CAT, PortNetwork } from './port-network.ts'

const MIB = 1_048_576
let clock: ClientClock
let control: PortNetwork
let data: PortNetwork
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): number => unhandled.push(reason)

beforeEach(() => {
  clock = new ClientClock(0)
  control = new PortNetwork(clock)
  data = new PortNetwork(clock)
  unhandled.length = 0
  process.on('unhandledRejection', onUnhandled)
})
afterEach(() => {
  process.off('unhandledRejection', onUnhandled)
  expect(unhandled).toEqual([])
})

function member(id: PeerId) {
  const ports = { control: control.port(id), data: data.port(id) }
  const offers = new Offers({ clock, ...ports, members: () => control.others(id), load: async () => Transfers })
  const offered: FileOffer[] = []
  offers.on('files', (offer) => offered.push(offer))
  const leave = (): void => {
    control.leave(id)
    data.leave(id)
  }
  return { id, offers, offered, leave, ...ports }
}

const content = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 255)
const offer = (from: ReturnType<typeof member>, bytes: Uint8Array | Blob, options?: OfferOptions) =>
  from.offers.offer('files', bytes instanceof Blob ? bytes : new Blob([bytes.slice()]), options)

/** Offers from one to the other, and gives both ends once it has arrived. */
async function offered(
  from: ReturnType<typeof member>,
  to: ReturnType<typeof member>,
  bytes: Uint8Array | Blob,
  options?: OfferOptions,
) {
  const outgoing = offer(from, bytes, options)
  await clock.until(() => to.offered.some(({ id }) => id === outgoing.id))
  const incoming = to.offered.find(({ id }) => id === outgoing.id)
  if (incoming === undefined) throw new Error('not offered')
  return { outgoing, incoming }
}

/** Reads a stream to its end, as fast as it comes. */
function read(stream: ReadableStream<Uint8Array>) {
  const seen: { chunks: Uint8Array[]; bytes: number; done: boolean; code: unknown } = {
    chunks: [],
    bytes: 0,
    done: false,
    code: undefined,
  }
  void (async () => {
    const reader = stream.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      seen.chunks.push(next.value)
      seen.bytes += next.value.length
    }
  })().then(
    () => {
      seen.done = true
    },
    (error) => {
      seen.code = error.code
    },
  )
  return seen
}

/** What the stream's next read rejects with. */
const errorOf = async (stream: ReadableStream<Uint8Array>): Promise<unknown> =>
  stream
    .getReader()
    .read()
    .then(
      () => 'no error',
      (error: { code: unknown }) => error.code,
    )

describe('an offered file', () => {
  it('is announced with what it is, under the same id at both ends', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const file = new File(['hello'], 'notes.txt', { type: 'text/plain' })
    const { outgoing, incoming } = await offered(ada, ben, file, { meta: { width: 3 } })
    expect(incoming).toMatchObject({ id: outgoing.id, from: ADA, name: 'notes.txt', type: 'text/plain', sizeBytes: 5 })
    expect(incoming).toMatchObject({ meta: { width: 3 }, sentAtMs: 0 })
    expect(incoming.withdrawn.aborted).toBe(false)
    expect([...outgoing.transfers]).toEqual([])
    expect(data.port(ADA).sent).toEqual([])
    const other = await offered(ada, ben, new Blob(['x']), { name: 'n' })
    expect([other.incoming.name, (await offered(ada, ben, new Blob(['x']))).incoming.name]).toEqual(['n', 'file'])
  })

  it('moves to whoever accepts, whole and in order, with progress by what the reader took', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const [sending, receiving]: [TransferProgress[], TransferProgress[]] = [[], []]
    const bytes = content(3 * MIB + 17)
    const { outgoing, incoming } = await offered(ada, ben, bytes, { onProgress: (progress) => sending.push(progress) })
    const seen = read(incoming.accept({ onProgress: (progress) => receiving.push(progress) }))
    await clock.until(() => outgoing.transfers.get(BEN) === 'running')
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
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
    const [ada, ben] = [member(ADA), member(BEN)]
    for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 4 * CHUNK_BYTES, 4 * CHUNK_BYTES + 1]) {
      const { outgoing, incoming } = await offered(ada, ben, content(size))
      const seen = read(incoming.accept())
      await clock.until(() => outgoing.transfers.get(BEN) === 'done')
      expect([size, seen.done, Buffer.concat(seen.chunks).equals(content(size))]).toEqual([size, true, true])
    }
  })

  it('moves to several at once, each at its own pace, and only to those who accept', async () => {
    const [ada, ben, cat] = [member(ADA), member(BEN), member(CAT)]
    const bytes = content(6 * MIB)
    const { outgoing, incoming } = await offered(ada, ben, bytes)
    const slow = incoming.accept().getReader()
    const fast = read(cat.offered[0]?.accept() as ReadableStream<Uint8Array>)
    await clock.until(() => fast.done)
    await clock.until(() => outgoing.transfers.get(CAT) === 'done')
    expect(outgoing.transfers.get(BEN)).toBe('running')
    let bytesRead = 0
    for (let next = slow.read(); bytesRead < bytes.length; next = slow.read()) {
      let got: number | undefined
      void next.then(({ value }) => (got = value?.length))
      await clock.until(() => got !== undefined)
      bytesRead += got ?? 0
    }
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
  })

  it('waits for a slow reader with 4 MiB under way at most', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { incoming } = await offered(ada, ben, content(12 * MIB))
    const reader = incoming.accept().getReader()
    await clock.pass(500)
    const sentBytes = (): number =>
      data.port(ADA).sent.reduce<number>((sum, chunk) => sum + (chunk as Uint8Array).length - 9, 0)
    expect(sentBytes()).toBeGreaterThan(4 * MIB - CHUNK_BYTES)
    expect(sentBytes()).toBeLessThanOrEqual(4 * MIB)
    for (let count = 0; count < 16; count += 1) await reader.read()
    await clock.pass(500)
    expect(sentBytes()).toBeGreaterThan(4.7 * MIB)
    expect(sentBytes()).toBeLessThanOrEqual(4 * MIB + 16 * CHUNK_BYTES)
    await reader.cancel()
  })

  it('reaches a handler that comes later', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    ada.offers.offer('later', new Blob(['x']))
    const gone = ada.offers.offer('later', new Blob(['x']))
    await clock.pass(20)
    gone.withdraw()
    await clock.pass(20)
    const late: FileOffer[] = []
    ben.offers.on('later', (each) => late.push(each))
    await turn()
    expect(late.length).toBe(1)
    expect(ben.offered.length).toBe(0)
  })

  it('is for those addressed: another who names it gets nothing', async () => {
    const [ada, ben, cat] = [member(ADA), member(BEN), member(CAT)]
    const { outgoing } = await offered(ada, ben, content(10), { to: BEN })
    expect(cat.offered).toEqual([])
    cat.control.send({ t: 'accept', n: 1, windowBytes: 4 * MIB }, ADA)
    await clock.pass(50)
    expect([...outgoing.transfers]).toEqual([])
    expect(data.port(ADA).sent).toEqual([])
  })
})

describe('an offer ends', () => {
  it('declined', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, content(10))
    incoming.decline()
    incoming.decline()
    expect(() => incoming.accept()).toThrow('declined')
    expect(incoming.withdrawn.aborted).toBe(true)
    await clock.until(() => outgoing.transfers.get(BEN) === 'declined')
  })

  it('accepted once only', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { incoming } = await offered(ada, ben, content(10))
    read(incoming.accept())
    expect(() => incoming.accept()).toThrow('accepted already')
    await clock.pass(100)
    expect(() => incoming.accept()).toThrow('accepted already')
  })

  it('withdrawn: no longer acceptable, and running transfers end at both ends', async () => {
    const [ada, ben, cat] = [member(ADA), member(BEN), member(CAT)]
    const abort = new AbortController()
    const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB), { signal: abort.signal })
    const stream = incoming.accept()
    await clock.pass(100)
    abort.abort()
    outgoing.withdraw()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    await clock.until(() => incoming.withdrawn.aborted && cat.offered[0]?.withdrawn.aborted === true)
    expect(await errorOf(stream)).toBe('withdrawn')
    expect(await errorOf(cat.offered[0]?.accept() as ReadableStream<Uint8Array>)).toBe('withdrawn')
    expect(outgoing.transfers.has(CAT)).toBe(false)
  })

  it('withdrawn while the acceptance was on its way', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, content(10))
    outgoing.withdraw()
    const seen = read(incoming.accept())
    await clock.until(() => seen.code !== undefined)
    expect(seen.code).toBe('withdrawn')
  })

  it('cancelled by the reader, or by its signal, and the sender stops', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const first = await offered(ada, ben, content(9 * MIB))
    const reader = first.incoming.accept().getReader()
    await clock.pass(50)
    await reader.cancel()
    await clock.until(() => first.outgoing.transfers.get(BEN) === 'failed')
    const second = await offered(ada, ben, content(9 * MIB))
    const abort = new AbortController()
    const stream = second.incoming.accept({ signal: abort.signal })
    await clock.pass(50)
    abort.abort()
    expect(await errorOf(stream)).toBe('aborted')
    await clock.until(() => second.outgoing.transfers.get(BEN) === 'failed')
    const third = await offered(ada, ben, content(10))
    expect(await errorOf(third.incoming.accept({ signal: AbortSignal.abort() }))).toBe('aborted')
    const sent = data.port(ADA).sent.length
    await clock.pass(100)
    expect(data.port(ADA).sent.length).toBe(sent)
  })

  it('when either side leaves', async () => {
    const [ada, ben, cat] = [member(ADA), member(BEN), member(CAT)]
    const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB))
    const stream = incoming.accept()
    await clock.pass(50)
    cat.leave()
    ben.leave()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    expect(outgoing.transfers.has(CAT)).toBe(false)
    ben.control.leave(ADA)
    expect(await errorOf(stream)).toBe('left')
    expect(incoming.withdrawn.aborted).toBe(true)
  })

  it('not for a reader that has all the bytes when the sender leaves', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const bytes = content(2 * MIB)
    const { incoming } = await offered(ada, ben, bytes)
    const stream = incoming.accept()
    await clock.pass(200)
    ada.leave()
    const seen = read(stream)
    await clock.until(() => seen.done)
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
  })

  it('when the file cannot be read any more, or has become shorter', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
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
      const { outgoing, incoming } = await offered(ada, ben, new Kind([content(3 * MIB)] as BlobPart[]))
      const seen = read(incoming.accept())
      await clock.until(() => outgoing.transfers.get(BEN) === 'failed' && seen.code !== undefined)
      expect(seen.code).toBe('withdrawn')
    }
  })

  it('when part of it was lost for good, so that nobody waits for ever or gets a file with a hole', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB))
    data.loses = (_from, _to, chunk) => new DataView((chunk as Uint8Array<ArrayBuffer>).buffer).getUint32(5) === 80
    const seen = read(incoming.accept())
    await clock.until(() => outgoing.transfers.get(BEN) === 'failed' && seen.code !== undefined)
    expect(seen.done).toBe(false)
  })

  it('with the room, and leaves nothing behind', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB))
    const stream = incoming.accept()
    await clock.pass(50)
    ada.offers.close()
    ben.offers.close()
    expect(outgoing.transfers.get(BEN)).toBe('failed')
    expect(await errorOf(stream)).toBe('closed')
    await clock.pass(100)
    expect(clock.pending()).toBe(0)
    expect([ada.control, ada.data, ben.control, ben.data].map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0])
  })
})

describe('what is said about a transfer', () => {
  it('is said again when it was lost because one cut the other off', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    for (const size of [0, MIB, 9 * MIB]) {
      for (const lost of ['accept', 'progress', 'decline', 'withdraw']) {
        const { outgoing, incoming } = await offered(ada, ben, content(size))
        let toLose = 3
        control.loses = (_from, _to, message) => {
          if (toLose === 0 || (message as { t: string }).t !== lost) return false
          toLose -= 1
          return true
        }
        if (lost === 'decline') {
          incoming.decline()
          await clock.until(() => outgoing.transfers.get(BEN) === 'declined')
        } else if (lost === 'withdraw') {
          outgoing.withdraw()
          await clock.until(() => incoming.withdrawn.aborted)
        } else {
          const seen = read(incoming.accept())
          await clock.until(() => outgoing.transfers.get(BEN) === 'done')
          expect([seen.done, seen.bytes]).toEqual([true, size])
        }
      }
    }
  })
})

describe('offering', () => {
  const code = (attempt: () => unknown): unknown => {
    try {
      attempt()
      return undefined
    } catch (error) {
      return (error as { code: unknown }).code
    }
  }

  it('is refused with what is no file, or too much beside it', () => {
    const [ada] = [member(ADA), member(BEN)]
    expect(code(() => ada.offers.offer('files', 'text' as unknown as Blob))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { name: 'x'.repeat(1_025) }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { meta: 'x'.repeat(4_095) }))).toBe('too-large')
    expect(code(() => offer(ada, content(1), { meta: 'x'.repeat(4_094) }))).toBeUndefined()
    expect(code(() => offer(ada, content(1), { meta: 1n as unknown as Json }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { to: 'x' as PeerId }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { signal: AbortSignal.abort() }))).toBe('aborted')
  })

  it('is limited to 256 open offers, and goes again when one is over', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const open = Array.from({ length: 256 }, () => offer(ada, content(1)))
    expect(code(() => offer(ada, content(1)))).toBe('queue-full')
    open[0]?.withdraw()
    offer(ada, content(1))
    await clock.until(() => ben.offered.length === 257)
    expect(ben.offered.filter(({ withdrawn }) => withdrawn.aborted).length).toBe(1)
  })

  it('to nobody is over at once', () => {
    const ada = member(ADA)
    for (let count = 0; count < 300; count += 1) expect(offer(ada, content(1)).transfers.size).toBe(0)
  })

  it('is over when the announcement was addressed to nobody after all, or reached nobody', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const load = async (): Promise<typeof Transfers> => Transfers
    const late = new Offers({ clock, control: ada.control, data: ada.data, members: () => [CAT], load })
    control.loses = (_from, to) => to === BEN
    for (let count = 0; count < 3; count += 1) {
      for (let open = 0; open < 128; open += 1) {
        late.offer('files', new Blob(['x']))
        ada.offers.offer('files', new Blob(['x']))
      }
      await clock.pass(50)
    }
    expect(ben.offered).toEqual([])
  })

  it('goes on when the queue was full for a while', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const bytes = content(6 * MIB)
    const { outgoing, incoming } = await offered(ada, ben, bytes)
    const seen = read(incoming.accept())
    for (let count = 0; count < 8; count += 1) {
      const port = [ada.data, ben.control][count % 2]
      if (port !== undefined) port.full = true
      await clock.pass(60)
      if (port !== undefined) port.full = false
      await clock.pass(3)
    }
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
  })
})

describe('what moves files is loaded when it is needed', () => {
  /** A member whose code comes with `arrive`, as often as it was asked for before. */
  function early(id: PeerId, failures = 0) {
    let asked = 0
    let arrive = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const load = async (): Promise<typeof Transfers> => {
      asked += 1
      if (asked <= failures) throw new Error('no network')
      await arrived
      return Transfers
    }
    const ports = { control: control.port(id), data: data.port(id) }
    const offers = new Offers({ clock, ...ports, members: () => control.others(id), load })
    return { ...ports, offers, arrive, asked: () => asked }
  }

  it('with the first offer of somebody, and what was said meanwhile is heard in order', async () => {
    const [ada, ben] = [member(ADA), early(BEN)]
    await clock.pass(20)
    expect(ben.asked()).toBe(0)
    const first = offer(ada, content(5))
    offer(ada, content(6)).withdraw()
    const third = offer(ada, content(7))
    await clock.pass(50)
    expect(ben.asked()).toBe(1)
    ben.arrive()
    await clock.pass(20)
    const heard: FileOffer[] = []
    ben.offers.on('files', (incoming) => heard.push(incoming))
    await clock.until(() => heard.length > 0)
    expect(heard.map(({ id }) => id)).toEqual([first.id, third.id])
    for (const incoming of heard) read(incoming.accept())
    await clock.until(() => third.transfers.get(BEN) === 'done')
    expect(ben.asked()).toBe(1)
  })

  it('with the first offer of ours, which can be accepted before it is here', async () => {
    const [ada, ben] = [early(ADA), member(BEN)]
    const bytes = content(2 * MIB)
    const outgoing = ada.offers.offer('files', new Blob([bytes.slice()]))
    const other = ada.offers.offer('files', new Blob(['x']))
    const gone = ada.offers.offer('files', new Blob(['y']))
    gone.withdraw()
    await clock.until(() => ben.offered.length === 3)
    await clock.until(() => ben.offered[2]?.withdrawn.aborted === true)
    const seen = read(ben.offered[0]?.accept() ?? new ReadableStream())
    ben.offered[1]?.decline()
    await clock.pass(50)
    expect([outgoing.transfers.size, seen.bytes, ada.asked()]).toEqual([0, 0, 1])
    ada.arrive()
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
    expect([[...other.transfers], [...gone.transfers]]).toEqual([[[BEN, 'declined']], []])
  })

  it('again, when that failed', async () => {
    const [ada, ben] = [member(ADA), early(BEN, 2)]
    const outgoing = offer(ada, content(5))
    ben.arrive()
    ben.offers.on('files', (incoming) => read(incoming.accept()))
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(ben.asked()).toBe(3)
  })

  it('and the room that closes meanwhile leaves nothing behind', async () => {
    const [ada, ben] = [early(ADA), early(BEN, 9)]
    const outgoing = ada.offers.offer('files', new Blob(['x']))
    await clock.pass(50)
    ada.offers.close()
    ben.offers.close()
    ada.arrive()
    await clock.pass(50)
    outgoing.withdraw()
    expect([ada.control, ada.data, ben.control, ben.data].map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0])
    expect([ben.asked(), clock.pending()]).toEqual([1, 0])
  })
})

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
      const [ada, ben] = [member(ADA), member(BEN)]
      const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB))
      data.loses = () => true
      const seen = read(incoming.accept())
      ada.data.send(new Uint8Array(1), [])
      ben.data.receive({ from: ADA, data: encodeChunk(1, index, new Uint8Array(size)), id: '', sentAtMs: 0 })
      await clock.until(() => seen.code !== undefined)
      expect([name, seen.code, seen.bytes]).toEqual([name, 'protocol', 0])
      await clock.until(() => outgoing.transfers.get(BEN) === 'failed')
      data.loses = () => false
    }
  })

  it('that sends beyond the window, or beyond the end, is cut', async () => {
    const [cat, ben] = [control.port(CAT), member(BEN)]
    const announce = { t: 'offer', n: 5, channel: 'files', name: 'x', type: '', sizeBytes: 9 * MIB, meta: null }
    cat.send(announce, BEN)
    cat.send({ ...announce, n: 6, sizeBytes: 10 }, BEN)
    await clock.until(() => ben.offered.length === 2)
    const flood = ben.offered[0]?.accept() as ReadableStream<Uint8Array>
    for (let index = 0; index < 65; index += 1)
      data.port(CAT).send(encodeChunk(5, index, new Uint8Array(CHUNK_BYTES)), BEN)
    await clock.pass(20)
    expect(await errorOf(flood)).toBe('protocol')
    const long = read(ben.offered[1]?.accept() as ReadableStream<Uint8Array>)
    for (const index of [0, 1]) data.port(CAT).send(encodeChunk(6, index, new Uint8Array(10)), BEN)
    await clock.until(() => long.code === 'protocol')
  })

  it('that claims progress of what was not sent ends its own transfer', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, content(9 * MIB))
    incoming.accept()
    await clock.until(() => outgoing.transfers.get(BEN) === 'running')
    ben.control.send({ t: 'progress', n: 1, bytes: 9 * MIB }, ADA)
    await clock.until(() => outgoing.transfers.get(BEN) === 'failed')
  })

  it('cannot hold more than 256 offers open at us', async () => {
    const [cat, ben] = [control.port(CAT), member(BEN)]
    for (let n = 0; n < 300; n += 1) {
      cat.send({ t: 'offer', n, channel: 'files', name: 'x', type: '', sizeBytes: 1, meta: null }, BEN)
    }
    await clock.pass(20)
    expect(ben.offered.length).toBe(256)
  })

  it('that sends malformed messages ends what it has with us, and nobody else’s', async () => {
    const [ada, ben, cat] = [member(ADA), member(BEN), member(CAT)]
    const good = await offered(ada, ben, content(9 * MIB))
    const bad = await offered(cat, ben, content(9 * MIB))
    const streams = [good.incoming.accept(), bad.incoming.accept()] as const
    await clock.pass(50)
    cat.control.send({ t: 'offer', n: 7, channel: 'files', name: 'x'.repeat(2_000), type: '', sizeBytes: 1 }, BEN)
    await clock.until(() => bad.outgoing.transfers.get(BEN) === 'failed' || bad.incoming.withdrawn.aborted)
    expect(await errorOf(streams[1])).toBe('protocol')
    const seen = read(streams[0])
    await clock.until(() => seen.done)
  })

  it('cannot disturb with any message', async () => {
    const [ada, ben] = [member(ADA), member(BEN)]
    const port = { control: control.port(CAT), data: data.port(CAT) }
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
        await clock.pass(2)
      }),
      { numRuns: 300 },
    )
    await clock.pass(30)
    const { outgoing, incoming } = await offered(ada, ben, content(MIB))
    read(incoming.accept())
    await clock.until(() => outgoing.transfers.get(BEN) === 'done')
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
    const [ada, ben] = [member(ADA), member(BEN)]
    const { outgoing, incoming } = await offered(ada, ben, new File(['abc'], 'a.txt', { type: 'text/plain' }))
    const seen = read(incoming.accept())
    await clock.until(() => outgoing.transfers.get(BEN) === 'done' && seen.done)
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
