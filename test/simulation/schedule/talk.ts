import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { Payload, Sent } from '../../../web/client/face.ts'
import { type ContentOf, content } from '../content.ts'
import type { SimClient } from '../sim-world.ts'
import type { Actor } from './cast.ts'
import type { Scene } from './scene.ts'

export const CHANNELS = ['chat', 'moves', 'files'] as const
export type ChannelName = (typeof CHANNELS)[number]

/** A message as the schedule knows it. */
export interface Sending extends ContentOf {
  readonly direct: boolean
  readonly id: string
  outcome: { readonly to: readonly PeerId[]; readonly missed: ReadonlyMap<PeerId, string> } | undefined
}

/** What is said in a schedule. */
export class Talk {
  /** What was said in troubled times, in order. */
  readonly sendings: Sending[] = []
  readonly #byId = new Map<string, Sending>()
  readonly #counts = new Map<string, number>()
  readonly #scene: Scene
  #position = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  find(id: string): Sending | undefined {
    return this.#byId.get(id)
  }

  /** The position that the next move tells. */
  get position(): number {
    return this.#position
  }

  send(actor: Actor): void {
    const { client } = actor
    const channel = this.#scene.random.pick(CHANNELS)
    const peers = [...client.room.peers.keys()]
    const direct = peers.length > 0 && this.#scene.random.chance(0.25)
    const to = direct ? peers.filter(() => this.#scene.random.chance(0.6)) : undefined
    const count = this.#scene.random.pick([1, 1, 1, 5, 40])
    for (let index = 0; index < count; index += 1) {
      if (!this.sendOne(client, channel, this.#size(count), to)) return
    }
    this.#scene.trace(`${client.name} sends ${count} on ${channel}${to ? ` to ${to.length}` : ''}`)
  }

  /** Among the rest of what is said in troubled times. False: the queue is full. */
  sendOne(client: SimClient, channel: ChannelName, bytes: number, to: PeerId[] | undefined): boolean {
    let said: { readonly sending: Sending; readonly sent: Sent }
    try {
      said = this.say(client, channel, bytes, to)
    } catch (error) {
      if ((error as { code?: string }).code !== 'queue-full') throw error
      return false
    }
    const { sending, sent } = said
    this.sendings.push(sending)
    void sent.delivered.then((outcome) => {
      sending.outcome = outcome
    })
    return true
  }

  /** @throws PartylineError `queue-full` */
  say(
    { room, name: from }: SimClient,
    channel: ChannelName,
    bytes: number,
    to: PeerId[] | undefined,
  ): { readonly sending: Sending; readonly sent: Sent } {
    const key = `${from} ${channel}`
    const n = this.#counts.get(key) ?? 0
    this.#counts.set(key, n + 1)
    const sent = room.channel<Payload>(channel).send(content({ from, channel, n, bytes }), to ? { to } : {})
    const sending: Sending = { from, channel, n, bytes, direct: to !== undefined, id: sent.id, outcome: undefined }
    this.#byId.set(sent.id, sending)
    return { sending, sent }
  }

  /** Small messages, one every few ms. */
  trickle(actor: Actor, count: number): void {
    if (count === 0 || !actor.here || !this.sendOne(actor.client, 'chat', 50, undefined)) return
    this.#scene.world.clock.setTimeout(() => this.trickle(actor, count - 1), this.#scene.random.between(1, 10))
  }

  move({ room }: SimClient): void {
    room.latest<number>('position').set(this.#position)
    this.#position += 1
  }

  #size(count: number): number {
    const kind = this.#scene.random.next()
    if (kind < 0.1) return 0
    if (kind < 0.85 || count > 5) return this.#scene.random.integer(1, 300)
    if (kind < 0.95) return this.#scene.random.integer(10_000, 60_000)
    return this.#scene.random.integer(200_000, 2_000_000)
  }
}
