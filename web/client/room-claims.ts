/**
 * What members say of themselves on their links, so that nobody else can say it for them: SEALING.md, "Profiles" and
 * "Signed channels". Loaded with the first member of a sealed room.
 */
import type { AboutSelf, Greeting, InstanceId, Json, MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { Checked, SignedChannels } from './channel/signed.ts'
import type { Clock } from './clock.ts'
import type { Arrived } from './delivery/channel-order.ts'
import type { Outbox } from './delivery/outbox.ts'
import type { OutgoingMessage } from './delivery/outgoing-message.ts'
import type { Gate } from './gate.ts'
import { Later } from './later.ts'
import type { RoomLinks } from './room-links.ts'
import type { RoomPeer } from './room-peer.ts'
import type { RoomWorld } from './room-world.ts'
import type { Primitives } from './sealing/primitives.ts'
import { Profiles } from './sealing/profiles.ts'

export interface RoomClaimsDeps {
  readonly clock: Clock
  readonly room: string
  readonly instance: InstanceId
  /** That the first join asked for: its digest was announced. */
  readonly profile: Json
  /** Absent only in an open room. */
  readonly primitives: Primitives | undefined
  readonly gate: Pick<Gate, 'admits' | 'digest' | 'refuse' | 'profiles'>
  readonly links: Pick<RoomLinks, 'say' | 'get' | 'peers' | 'drain'> & {
    readonly outbox: Pick<Outbox, 'flush' | 'giveUp'>
  }
  readonly signing?: RoomWorld['signing']
  /** Whether a member's profile is verified is another now. */
  changed(peer: RoomPeer<Json>): void
  /** Something of this member was kept from us. */
  withheld(peer: RoomPeer<Json>): void
}

/** Its signer is made with an identity's code. */
const ownFiles = (): Promise<typeof SignedChannels> =>
  Promise.all([import('./channel/signed.ts'), import('./sealing/identity.ts')]).then(
    ([signed]) => signed.SignedChannels,
  )

export class RoomClaims {
  readonly #profiles: Profiles
  readonly #signed: Later<SignedChannels>
  /** Whether this member signs. */
  #signs = false
  /** Of our profile now; what the others are told of, unless it is what we came with. */
  #claimed: Promise<string | undefined>
  readonly #announced: Promise<string | undefined>

  constructor(private readonly deps: RoomClaimsDeps) {
    const { gate, instance, profile } = deps
    this.#profiles = new Profiles({
      ...deps,
      changed: (id) => this.#tell(id, deps.changed),
      altered: (id) => gate.refuse(id, 'profile-altered'),
    })
    gate.profiles = this.#profiles
    this.#announced = gate.digest(instance, profile)
    this.#claimed = this.#announced
    const { signing = ownFiles } = deps
    this.#signed = new Later(() => signing().then((Signed) => this.#makeSigned(Signed)), deps.clock)
  }

  /** The server shows this of a member, which announced that digest. */
  async shown(member: MemberInfo, announced: string | undefined): Promise<void> {
    const { gate } = this.deps
    const { id, instance, profile } = member
    const digest = await gate.digest(instance, profile)
    // It may have left meanwhile, and another may have its id.
    if (digest !== undefined && gate.admits(member)) this.#profiles.show(id, digest, announced)
  }

  /** The server has this profile of ours now. */
  async profile(profile: Json): Promise<void> {
    const before = this.#claimed
    this.#claimed = this.deps.gate.digest(this.deps.instance, profile)
    const digest = await this.#claimed
    if (digest !== undefined && digest !== (await before)) this.#sayToAll({ t: 'profile', digest })
  }

  /** A member came, or may have lost what it was told. */
  async introduce(id: PeerId): Promise<void> {
    const { links } = this.deps
    if (this.#signs) this.#signed.do((signed) => this.#sayKey(signed, [id]), `introduce ${id}`)
    const digest = await this.#claimed
    if (digest !== undefined && digest !== (await this.#announced)) links.say(id, { t: 'profile', digest })
  }

  heard(peer: RoomPeer<Json>, message: AboutSelf): void {
    const { id } = peer
    if (message.t === 'signer') this.#signedOf(peer, 'told', (signed) => signed.told(id, message.key))
    else if (this.#isHere(peer)) this.#profiles.tell(id, message.digest)
  }

  /** A member's greeting has come. */
  greeted(peer: RoomPeer<Json>, channels: Greeting['channels']): void {
    if (channels.some(({ name }) => name.startsWith('s:')))
      this.#signedOf(peer, 'greeted', (signed) => signed.greeted(peer.id, channels))
  }

  /** There is a channel here whose messages are signed. */
  signs(): void {
    if (this.#signs) return
    this.#signs = true
    this.#signed.do((signed) => this.#sayKey(signed, this.deps.links.peers.keys()))
  }

  sign(wireName: string, message: OutgoingMessage): void {
    this.#signed.do(
      (signed) => void signed.sign(wireName, message),
      message,
      () => this.deps.links.outbox.giveUp(message),
    )
  }

  /** As of `RoomChannelsDeps`. */
  checked(from: PeerId, arrived: Arrived): Checked | boolean {
    const { here } = this.#signed
    if (here !== undefined) return here.check(from, arrived)
    this.#signed.do(() => this.deps.links.drain(arrived.channel), arrived.channel)
    return false
  }

  close(): void {
    this.#profiles.close()
    this.#signed.close()
  }

  /** Not: the server may show another under its id by now. */
  #isHere(peer: RoomPeer<Json>): boolean {
    return this.deps.links.get(peer.id) === peer
  }

  #signedOf(peer: RoomPeer<Json>, key: string, what: (signed: SignedChannels) => void): void {
    this.#signed.do((signed) => this.#isHere(peer) && what(signed), `${key} ${peer.id}`)
  }

  #sayKey(signed: SignedChannels, to: Iterable<PeerId>): void {
    signed.key().then(
      (key) => {
        for (const id of to) this.deps.links.say(id, { t: 'signer', key })
      },
      // Whoever sends is told.
      () => undefined,
    )
  }

  #sayToAll(message: AboutSelf): void {
    for (const id of this.deps.links.peers.keys()) this.deps.links.say(id, message)
  }

  #tell(id: PeerId, what: (peer: RoomPeer<Json>) => void): void {
    const peer = this.deps.links.get(id)
    if (peer !== undefined) what(peer)
  }

  #makeSigned(Signed: typeof SignedChannels): SignedChannels | undefined {
    const { links, gate, primitives } = this.deps
    if (primitives === undefined) return undefined
    return new Signed({
      ...this.deps,
      primitives,
      withheld: (id) => this.#tell(id, this.deps.withheld),
      flush: () => links.outbox.flush(),
      giveUp: (message) => links.outbox.giveUp(message),
      drain: (wireName) => links.drain(wireName),
      refuse: (id, code) => gate.refuse(id, code),
      instanceOf: (id) => links.get(id)?.info.instance,
      peers: () => links.peers.keys(),
    })
  }
}
