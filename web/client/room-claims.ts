/** What members say of themselves on their links, so that nobody else can say it for them: profiles, signed channels. */
import type { AboutSelf, Greeting, InstanceId, Json, PeerId } from '../../signaling/protocol/index.ts'
import type { SignedChannels } from './channel/signed.ts'
import type { Arrived } from './delivery/channel-order.ts'
import type { Outbox } from './delivery/outbox.ts'
import type { OutgoingMessage } from './delivery/outgoing-message.ts'
import type { Gate } from './gate.ts'
import type { RoomLinks } from './room-links.ts'
import type { Primitives } from './sealing/primitives.ts'

export interface RoomClaimsDeps {
  readonly room: string
  readonly instance: InstanceId
  readonly primitives: Primitives | undefined
  readonly gate: Pick<Gate, 'claim' | 'claimed' | 'claims' | 'refuse'>
  readonly links: Pick<RoomLinks, 'say' | 'get' | 'peers' | 'drain'> & {
    readonly outbox: Pick<Outbox, 'flush' | 'abort'>
  }
  /** Something of this member was kept from us. */
  withheld(id: PeerId): void
}

export class RoomClaims {
  #signed: SignedChannels | undefined
  #loading: Promise<SignedChannels> | undefined
  /** Whether this member signs. */
  #signs = false

  constructor(private readonly deps: RoomClaimsDeps) {}

  /** The server has another profile of ours. */
  profile(profile: Json): void {
    void this.deps.gate.claim(profile).then((digest) => {
      if (digest !== undefined) this.#sayToAll({ t: 'profile', digest })
    })
  }

  /** A member came, or may have lost what it was told. */
  introduce(id: PeerId): void {
    const { gate, links } = this.deps
    const digest = gate.claimed
    if (digest !== undefined) links.say(id, { t: 'profile', digest })
    if (this.#signs) this.#with(async (signed) => links.say(id, { t: 'signer', key: await signed.key() }))
  }

  heard(id: PeerId, message: AboutSelf): void {
    if (message.t === 'profile') this.deps.gate.claims(id, message.digest)
    else this.#with((signed) => signed.told(id, message.key))
  }

  /** A member's greeting has come. */
  greeted(id: PeerId, channels: Greeting['channels']): void {
    if (channels.some(({ name }) => name.startsWith('s:'))) this.#with((signed) => signed.greeted(id, channels))
  }

  /** What writes the signatures of a channel's messages, before its first one. */
  signer(wireName: string): (message: OutgoingMessage) => void {
    if (!this.#signs) {
      this.#signs = true
      this.#with(async (signed) => this.#sayToAll({ t: 'signer', key: await signed.key() }))
    }
    return (message) => this.#with((signed) => void signed.sign(wireName, message))
  }

  /** As of `RoomChannelsDeps`. */
  checked(from: PeerId, arrived: Arrived): Arrived | boolean {
    if (this.#signed !== undefined) return this.#signed.check(from, arrived)
    this.#with(() => this.deps.links.drain(arrived.channel))
    return false
  }

  #sayToAll(message: AboutSelf): void {
    for (const id of this.deps.links.peers.keys()) this.deps.links.say(id, message)
  }

  /** Loads what signs and checks, the first time. Where it cannot be loaded, signed messages wait for good. */
  #with(what: (signed: SignedChannels) => void): void {
    const { primitives, links, gate } = this.deps
    if (this.#signed !== undefined) {
      what(this.#signed)
      return
    }
    if (primitives === undefined) return
    this.#loading ??= import('./channel/signed.ts').then((loaded) => {
      this.#signed = new loaded.SignedChannels({
        ...this.deps,
        primitives,
        flush: () => links.outbox.flush(),
        giveUp: (message) => void links.outbox.abort(message),
        drain: (wireName) => links.drain(wireName),
        refuse: (id, code) => gate.refuse(id, code),
        instanceOf: (id) => links.get(id)?.info.instance,
        peers: () => links.peers.keys(),
      })
      return this.#signed
    })
    void this.#loading.then(what, () => {})
  }
}
