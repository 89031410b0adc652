import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { PortMessage, ReliablePort } from '../../../web/client/channel/port.ts'
import { PartylineError } from '../../../web/client/errors.ts'
import type { MissedReason, Payload, Sent } from '../../../web/client/face.ts'
import type { ClientClock } from './client-clock.ts'

export const peer = (number: number): PeerId => number.toString(16).padStart(16, '0') as PeerId
export const ADA = peer(0xada)
export const BEN = peer(0xbe)
export const CAT = peer(0xca)

/** Ports of some members, joined by a network with a delay that loses nothing until it is told to. */
export class PortNetwork {
  readonly clock: ClientClock
  readonly #ports = new Map<PeerId, FakePort>()
  #count = 0
  delayMs = 10
  /** What is on its way from whom to whom gets lost, and is reported as missed. */
  loses: (from: PeerId, to: PeerId, data: unknown) => boolean = () => false

  constructor(clock: ClientClock) {
    this.clock = clock
  }

  port(id: PeerId): FakePort {
    const port = this.#ports.get(id) ?? new FakePort(this, id)
    this.#ports.set(id, port)
    return port
  }

  others(id: PeerId): PeerId[] {
    return [...this.#ports.keys()].filter((other) => other !== id)
  }

  /** This member is gone: the others are told. */
  leave(id: PeerId): void {
    this.#ports.delete(id)
    for (const port of this.#ports.values()) port.leave(id)
  }

  carry(from: PeerId, data: Payload, to: readonly PeerId[]): Sent {
    this.#count += 1
    const id = `${from}/${this.#count}`
    const missed = new Map<PeerId, MissedReason>()
    const sentAtMs = this.clock.now()
    // As bytes would: nothing of the sender's is shared.
    const copy: unknown = structuredClone(data)
    let arrive = (): void => {}
    const delivered = new Promise<void>((resolve) => {
      arrive = resolve
    }).then(() => ({ to, missed }))
    this.clock.setTimeout(() => {
      for (const receiver of to) {
        const port = this.#ports.get(receiver)
        if (port === undefined) missed.set(receiver, 'left')
        else if (this.loses(from, receiver, copy)) missed.set(receiver, 'lagging')
        else port.receive({ from, data: copy, id, sentAtMs })
      }
      arrive()
    }, this.delayMs)
    return { id, accepted: Promise.resolve(), delivered }
  }
}

export class FakePort implements ReliablePort {
  readonly #network: PortNetwork
  readonly #id: PeerId
  readonly #onMessage = new Set<(message: PortMessage) => void>()
  readonly #onWaiting = new Set<() => void>()
  readonly #waiting: PortMessage[] = []
  readonly #onLeave = new Set<(peer: PeerId) => void>()
  readonly sent: Payload[] = []
  /** The room's queue is full. */
  full = false
  closed = false

  constructor(network: PortNetwork, id: PeerId) {
    this.#network = network
    this.#id = id
  }

  send(data: Payload, to: PeerId | readonly PeerId[] | undefined): Sent {
    if (this.closed) throw new PartylineError('closed', 'closed')
    if (this.full) throw new PartylineError('queue-full', 'full')
    this.sent.push(data)
    const list = to === undefined ? this.#network.others(this.#id) : typeof to === 'string' ? [to] : to
    return this.#network.carry(this.#id, data, list)
  }

  onMessage(handler: (message: PortMessage) => void): () => void {
    this.#onMessage.add(handler)
    for (const message of this.#waiting.splice(0)) handler(message)
    return () => this.#onMessage.delete(handler)
  }

  onWaiting(handler: () => void): () => void {
    this.#onWaiting.add(handler)
    return () => this.#onWaiting.delete(handler)
  }

  onLeave(handler: (peer: PeerId) => void): () => void {
    this.#onLeave.add(handler)
    return () => this.#onLeave.delete(handler)
  }

  receive(message: PortMessage): void {
    for (const handler of this.#onMessage) handler(message)
    if (this.#onMessage.size > 0) return
    this.#waiting.push(message)
    for (const handler of this.#onWaiting) handler()
  }

  leave(id: PeerId): void {
    // What it said before, and nobody has heard, goes with it.
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ from }) => from !== id))
    for (const handler of this.#onLeave) handler(id)
  }

  get listeners(): number {
    return this.#onMessage.size + this.#onWaiting.size + this.#onLeave.size
  }
}
