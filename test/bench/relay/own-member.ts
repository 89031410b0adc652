import type { Carrier, OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import { openWebSocket } from '../../../web/client/carriers/websocket.ts'
import { systemClock } from '../../../web/client/clock.ts'
import type { Channel } from '../../../web/client/face.ts'
import { RoomHistory } from '../../../web/client/history/room-history.ts'
import { parseJoinOptions } from '../../../web/client/options.ts'
import { ClientRoom } from '../../../web/client/room.ts'
import { RoomClaims } from '../../../web/client/room-claims.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'
import type { MemberPlace } from './contestants.ts'
import type { DropMember, Heard } from './drop-member.ts'
import { numberOf, payloadText, senderOf, sentAt } from './payload.ts'

/** How long an attempt without a network takes to fail. */
const FAILING_MS = 5

export interface OwnOptions {
  readonly port: number
  /** Encrypted from end to end, as by default; else an open room. */
  readonly sealed: boolean
}

/** The whole client, over WebSocket, without peer connections: everything goes by the server. */
export class OwnMember implements DropMember {
  readonly #place: MemberPlace
  readonly #room: ClientRoom<null>
  readonly #channel: Channel<string>
  readonly #carriers = new Set<() => void>()
  #cut = false

  constructor(place: MemberPlace, { port, sealed }: OwnOptions, heard: Heard) {
    this.#place = place
    this.#room = new ClientRoom(
      `drops-${place.room}`,
      parseJoinOptions({
        server: `http://127.0.0.1:${port}/`,
        paths: ['relay'],
        ...(sealed ? {} : { sealing: 'open' }),
      }),
      {
        clock: systemClock,
        wallMs: () => Date.now(),
        random: Math.random,
        fillRandom: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
        openCarrier: this.#open,
        network: { on: () => () => undefined },
        primitives: webCrypto(),
        claims: async () => RoomClaims,
        history: async () => RoomHistory,
        directPaths: async () => undefined,
      },
    )
    this.#channel = this.#room.channel<string>('drops')
    this.#channel.on('message', ({ data }) => {
      const bytes = Buffer.from(data, 'latin1')
      heard(senderOf(bytes, 0), numberOf(bytes, 0), sentAt(bytes, 0))
    })
  }

  async join(): Promise<void> {
    await this.#room.ready
  }

  async complete(others: number): Promise<void> {
    while (this.#room.peers.size < others) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  send(number: number, atMs: number): void {
    // What comes of it is counted by those who hear it.
    const sent = this.#channel.send(payloadText(this.#place.index, atMs, number, 'm'))
    for (const promise of [sent.accepted, sent.delivered]) promise.catch(() => undefined)
  }

  drop(): void {
    this.#cut = true
    for (const cut of this.#carriers) cut()
    this.#carriers.clear()
  }

  restore(): void {
    this.#cut = false
  }

  close(): void {
    void this.#room.leave({ flushMs: 0 })
  }

  /** As `openWebSocket`, as long as there is a network. */
  readonly #open: OpenCarrier = (server, first, events, clock, plain): Carrier => {
    if (this.#cut) {
      const failing = setTimeout(() => events.closed(1006, 'no network'), FAILING_MS)
      return { kind: 'websocket', send: () => false, bufferedBytes: () => 0, close: () => clearTimeout(failing) }
    }
    const carrier = openWebSocket(server, first, events, clock, plain)
    const cut = (): void => {
      carrier.close(4000, 'cut')
      events.closed(1006, 'cut')
    }
    this.#carriers.add(cut)
    return {
      ...carrier,
      close: (code, reason) => {
        this.#carriers.delete(cut)
        carrier.close(code, reason)
      },
    }
  }
}
