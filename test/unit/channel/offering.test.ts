import { beforeEach, describe, expect, it } from 'vitest'
import type { Json, PeerId } from '../../../signaling/protocol/index.ts'
import { Offers } from '../../../web/client/channel/offer.ts'
import { Transfers } from '../../../web/client/channel/transfers.ts'
import type { FileOffer } from '../../../web/client/face.ts'
import { content, MIB, OfferRoom, offer, read } from './offer-room.ts'
import { ADA, BEN, CAT } from './port-network.ts'
import { expectAllHandled } from './unhandled-rejections.ts'

let room: OfferRoom

beforeEach(() => {
  room = new OfferRoom()
})
expectAllHandled()

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
    const [ada] = [room.member(ADA), room.member(BEN)]
    expect(code(() => ada.offers.offer('files', 'text' as unknown as Blob))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { name: 'x'.repeat(1_025) }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { meta: 'x'.repeat(4_095) }))).toBe('too-large')
    expect(code(() => offer(ada, content(1), { meta: 'x'.repeat(4_094) }))).toBeUndefined()
    expect(code(() => offer(ada, content(1), { meta: 1n as unknown as Json }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { to: 'x' as PeerId }))).toBe('bad-argument')
    expect(code(() => offer(ada, content(1), { signal: AbortSignal.abort() }))).toBe('aborted')
  })

  it('is limited to 256 open offers, and goes again when one is over', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const open = Array.from({ length: 256 }, () => offer(ada, content(1)))
    expect(code(() => offer(ada, content(1)))).toBe('queue-full')
    open[0]?.withdraw()
    offer(ada, content(1))
    await room.clock.until(() => ben.offered.length === 257)
    expect(ben.offered.filter(({ withdrawn }) => withdrawn.aborted).length).toBe(1)
  })

  it('to nobody is over at once', () => {
    const ada = room.member(ADA)
    for (let count = 0; count < 300; count += 1) expect(offer(ada, content(1)).transfers.size).toBe(0)
  })

  it('is over when the announcement was addressed to nobody after all, or reached nobody', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const load = async (): Promise<typeof Transfers> => Transfers
    const late = new Offers({ clock: room.clock, control: ada.control, data: ada.data, members: () => [CAT], load })
    room.control.loses = (_from, to) => to === BEN
    for (let count = 0; count < 3; count += 1) {
      for (let open = 0; open < 128; open += 1) {
        late.offer('files', new Blob(['x']))
        ada.offers.offer('files', new Blob(['x']))
      }
      await room.clock.pass(50)
    }
    expect(ben.offered).toEqual([])
  })

  it('goes on when the queue was full for a while', async () => {
    const [ada, ben] = [room.member(ADA), room.member(BEN)]
    const bytes = content(6 * MIB)
    const { outgoing, incoming } = await room.offered(ada, ben, bytes)
    const seen = read(incoming.accept())
    for (let count = 0; count < 8; count += 1) {
      const port = [ada.data, ben.control][count % 2]
      if (port !== undefined) port.full = true
      await room.clock.pass(60)
      if (port !== undefined) port.full = false
      await room.clock.pass(3)
    }
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
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
    const ports = { control: room.control.port(id), data: room.data.port(id) }
    const offers = new Offers({ clock: room.clock, ...ports, members: () => room.control.others(id), load })
    return { ...ports, offers, arrive, asked: () => asked }
  }

  it('with the first offer of somebody, and what was said meanwhile is heard in order', async () => {
    const [ada, ben] = [room.member(ADA), early(BEN)]
    await room.clock.pass(20)
    expect(ben.asked()).toBe(0)
    const first = offer(ada, content(5))
    offer(ada, content(6)).withdraw()
    const third = offer(ada, content(7))
    await room.clock.pass(50)
    expect(ben.asked()).toBe(1)
    ben.arrive()
    await room.clock.pass(20)
    const heard: FileOffer[] = []
    ben.offers.on('files', (incoming) => heard.push(incoming))
    await room.clock.until(() => heard.length > 0)
    expect(heard.map(({ id }) => id)).toEqual([first.id, third.id])
    for (const incoming of heard) read(incoming.accept())
    await room.clock.until(() => third.transfers.get(BEN) === 'done')
    expect(ben.asked()).toBe(1)
  })

  it('with the first offer of ours, which can be accepted before it is here', async () => {
    const [ada, ben] = [early(ADA), room.member(BEN)]
    const bytes = content(2 * MIB)
    const outgoing = ada.offers.offer('files', new Blob([bytes.slice()]))
    const other = ada.offers.offer('files', new Blob(['x']))
    const gone = ada.offers.offer('files', new Blob(['y']))
    gone.withdraw()
    await room.clock.until(() => ben.offered.length === 3)
    await room.clock.until(() => ben.offered[2]?.withdrawn.aborted === true)
    const seen = read(ben.offered[0]?.accept() ?? new ReadableStream())
    ben.offered[1]?.decline()
    await room.clock.pass(50)
    expect([outgoing.transfers.size, seen.bytes, ada.asked()]).toEqual([0, 0, 1])
    ada.arrive()
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(Buffer.concat(seen.chunks).equals(bytes)).toBe(true)
    expect([[...other.transfers], [...gone.transfers]]).toEqual([[[BEN, 'declined']], []])
  })

  it('again, when that failed', async () => {
    const [ada, ben] = [room.member(ADA), early(BEN, 2)]
    const outgoing = offer(ada, content(5))
    ben.arrive()
    ben.offers.on('files', (incoming) => read(incoming.accept()))
    await room.clock.until(() => outgoing.transfers.get(BEN) === 'done')
    expect(ben.asked()).toBe(3)
  })

  it('and the room that closes meanwhile leaves nothing behind', async () => {
    const [ada, ben] = [early(ADA), early(BEN, 9)]
    const outgoing = ada.offers.offer('files', new Blob(['x']))
    await room.clock.pass(50)
    ada.offers.close()
    ben.offers.close()
    ada.arrive()
    await room.clock.pass(50)
    outgoing.withdraw()
    expect([ada.control, ada.data, ben.control, ben.data].map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0])
    expect([ben.asked(), room.clock.pending()]).toEqual([1, 0])
  })
})
