/** A server that lies: the real hub, with somebody between it and the clients who reads and rewrites everything. */
import { fromEnvelope, type InstanceId, type PeerId, readEnvelope } from '../../signaling/protocol/index.ts'
import type { CarrierEvents, OpenCarrier } from '../../web/client/carriers/carrier.ts'
import { IndependentMember } from './independent.ts'

export interface Shown {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly seal?: string
  readonly profile?: unknown
}

/** A control message, as far as lies need it. */
export interface Told {
  readonly t: string
  /** In a welcome: who the client is. */
  readonly peerId?: PeerId
  readonly member?: Shown
  readonly members?: readonly Shown[]
}

export interface Handed {
  readonly from: PeerId
  readonly payload: Uint8Array
}

export class MaliciousServer {
  /** What came for each client, as it was before any lie. */
  readonly recorded = new Map<string, Handed[]>()
  /** Who a client really is, by its name. */
  readonly clients = new Map<string, Shown>()
  /** What the hub is asked instead of a join. */
  asked: (first: string) => string = (first) => first
  /** What a client is told instead of a control message. */
  told: (client: string, message: Told) => Told | undefined = (_client, message) => message
  /** What a client is handed instead of a frame. */
  handed: (client: string, frame: Handed) => readonly Handed[] = (_client, frame) => [frame]
  /** What becomes of an envelope with a frame, on its way to a client. */
  handedOn: (client: string, envelope: Uint8Array) => Uint8Array = (_client, envelope) => envelope
  readonly #events = new Map<string, CarrierEvents>()

  readonly between =
    (client: string, open: OpenCarrier): OpenCarrier =>
    (server, first, events, clock, plain) => {
      const { instance, seal } = JSON.parse(first) as Shown
      this.#events.set(client, events)
      return open(
        server,
        this.asked(first),
        {
          ...events,
          opened: () => events.opened(),
          closed: (code, reason) => events.closed(code, reason),
          text: (text) => {
            const message = JSON.parse(text) as Told
            const { peerId: id } = message
            if (id !== undefined) this.clients.set(client, { id, instance, ...(seal !== undefined && { seal }) })
            const lie = this.told(client, message)
            if (lie !== undefined) events.text(JSON.stringify(lie))
          },
          binary: (bytes) => {
            for (let start = 0; start < bytes.length; ) {
              const view = readEnvelope(bytes, start)
              start = view.end
              if (view.peer === undefined) continue
              this.#pass(client, { from: view.peer, payload: bytes.slice(view.payloadStart, view.end) })
            }
          },
        },
        clock,
        plain,
      )
    }

  /** Hands a client a frame of the server's own making. */
  hand(client: string, frame: Handed): void {
    this.#events.get(client)?.binary(this.handedOn(client, fromEnvelope(frame.from, frame.payload)))
  }

  /** One message from the uplink, of any bytes. */
  handBytes(client: string, bytes: Uint8Array): void {
    this.#events.get(client)?.binary(bytes)
  }

  /** Tells a client something that did not happen. */
  tell(client: string, message: object): void {
    this.#events.get(client)?.text(JSON.stringify(message))
  }

  who(client: string): Shown {
    const shown = this.clients.get(client)
    if (shown === undefined) throw new Error(`${client} has not been welcomed`)
    return shown
  }

  recordsOf(client: string): readonly Handed[] {
    return this.recorded.get(client) ?? []
  }

  #pass(client: string, frame: Handed): void {
    const recorded = this.recorded.get(client)
    if (recorded === undefined) this.recorded.set(client, [frame])
    else recorded.push(frame)
    for (const one of this.handed(client, frame)) this.hand(client, one)
  }
}

/** `change` for every member that a message shows. */
export function rewriteMembers(message: Told, change: (member: Shown) => Shown): Told {
  return {
    ...message,
    ...(message.member && { member: change(message.member) }),
    ...(message.members && { members: message.members.map(change) }),
  }
}

/** Puts itself in the middle of any two members, with keys of its own for each side. Needs a room without a secret. */
export class Middle {
  /** Frames that it read, as bytes. */
  readonly read: Buffer[] = []
  readonly #posing = new Map<string, IndependentMember>()

  constructor(
    private readonly server: MaliciousServer,
    private readonly room: string,
  ) {
    server.told = (client, message) =>
      rewriteMembers(message, (member) =>
        member.id === server.clients.get(client)?.id
          ? member
          : { ...member, seal: this.#posingAs(member, client).announcement },
      )
    server.handed = (client, frame) => this.#onward(client, frame)
  }

  /** Who poses as a member before a client. */
  #posingAs({ id, instance }: Shown, client: string): IndependentMember {
    const key = `${client} ${id}`
    let posing = this.#posing.get(key)
    if (posing === undefined) {
      posing = new IndependentMember({ mode: 'link', room: this.room, id, instance, x25519: true })
      try {
        posing.admit(this.server.who(client))
      } catch {
        // A member of a room with a secret: there is nothing that it could say to it.
      }
      this.#posing.set(key, posing)
    }
    return posing
  }

  #onward(client: string, { from, payload }: Handed): readonly Handed[] {
    const sender = [...this.server.clients].find(([, shown]) => shown.id === from)
    if (sender === undefined || !this.#posingAs(this.server.who(client), sender[0]).knows(from)) return []
    const receiver = this.server.who(client)
    const { frames, reply } = this.#posingAs(receiver, sender[0]).open(from, payload)
    if (reply !== undefined) this.server.hand(sender[0], { from: receiver.id, payload: reply })
    this.read.push(...frames)
    return frames.flatMap((frame) =>
      this.#posingAs(sender[1], client)
        .seal([receiver.id], frame)
        .map((record) => ({ from, payload: record.payload })),
    )
  }
}
