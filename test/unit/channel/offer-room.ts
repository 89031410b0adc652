import type { PeerId } from '../../../signaling/protocol/index.ts'
import { Offers } from '../../../web/client/channel/offer.ts'
import { Transfers } from '../../../web/client/channel/transfers.ts'
import type { FileOffer, OfferOptions } from '../../../web/client/face.ts'
import { ClientClock } from './client-clock.ts'
import { PortNetwork } from './port-network.ts'

export const MIB = 1_048_576

type Member = ReturnType<OfferRoom['member']>

/** Members who offer each other files, their clock, and the networks that carry what they say and the files. */
export class OfferRoom {
  readonly clock = new ClientClock(0)
  readonly control = new PortNetwork(this.clock)
  readonly data = new PortNetwork(this.clock)

  member(id: PeerId) {
    const { clock, control, data } = this
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

  /** Offers from one to the other, and gives both ends once it has arrived. */
  async offered(from: Member, to: Member, bytes: Uint8Array | Blob, options?: OfferOptions) {
    const outgoing = offer(from, bytes, options)
    await this.clock.until(() => to.offered.some(({ id }) => id === outgoing.id))
    const incoming = to.offered.find(({ id }) => id === outgoing.id)
    if (incoming === undefined) throw new Error('not offered')
    return { outgoing, incoming }
  }
}

export const content = (size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 255)
export const offer = (from: Member, bytes: Uint8Array | Blob, options?: OfferOptions) =>
  from.offers.offer('files', bytes instanceof Blob ? bytes : new Blob([bytes.slice()]), options)

/** Reads a stream to its end, as fast as it comes. */
export function read(stream: ReadableStream<Uint8Array>) {
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
export const errorOf = async (stream: ReadableStream<Uint8Array>): Promise<unknown> =>
  stream
    .getReader()
    .read()
    .then(
      () => 'no error',
      (error: { code: unknown }) => error.code,
    )
