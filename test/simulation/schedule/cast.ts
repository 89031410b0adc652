import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { JoinOptions, Payload } from '../../../web/client/face.ts'
import { isContent } from '../content.ts'
import type { SimClient } from '../sim-world.ts'
import type { Scene } from './scene.ts'
import { CHANNELS, type Talk } from './talk.ts'

/** A member, and what it was told. */
export interface Actor {
  readonly client: SimClient
  readonly peerIds: Set<PeerId>
  readonly heard: { readonly id: string; readonly channel: string; readonly n: number }[]
  /** By id: how often it was heard. */
  readonly times: Map<string, number>
  readonly gaps: Set<PeerId>
  /** Newest value heard of each peer. */
  readonly positions: Map<PeerId, number>
  /** Peers that it was told had left, and the reasons. */
  readonly leaves: Map<PeerId, string>
  here: boolean
}

/** The members of a schedule: how they come, what they hear, and how they go. */
export class Cast {
  readonly actors: Actor[] = []
  readonly #scene: Scene
  readonly #talk: Talk

  constructor(scene: Scene, talk: Talk) {
    this.#scene = scene
    this.#talk = talk
  }

  get here(): Actor[] {
    return this.actors.filter(({ here }) => here)
  }

  join(): void {
    if (this.here.length >= this.#scene.options.peers) return
    const name = `p${this.actors.length}`
    const relayOnly = this.#scene.random.chance(0.15)
    const options: JoinOptions = relayOnly ? { paths: ['relay'] } : {}
    const client = this.#scene.world.join(
      'room',
      name,
      options,
      this.#scene.random.pick([1, 10, 50]),
      this.#scene.random.chance(0.3),
    )
    const actor: Actor = {
      client,
      peerIds: new Set(),
      heard: [],
      times: new Map(),
      gaps: new Set(),
      positions: new Map(),
      leaves: new Map(),
      here: true,
    }
    for (const { client: other } of this.actors) {
      if (this.#scene.random.chance(0.2)) this.#scene.world.paths.conditions(name, other.name).kind = 'turn'
    }
    this.actors.push(actor)
    this.#scene.trace(`${name} joins${relayOnly ? ', relay only' : ''}`)
    client.room.on('leave', ({ peer, reason }) => {
      actor.leaves.set(peer.id, reason)
      this.#scene.trace(`${name} is told that ${this.nameOf(peer.id)} left: ${reason}`)
    })
    client.room.on('gap', ({ peer, reason }) => {
      actor.gaps.add(peer.id)
      this.#scene.trace(`${name} has a gap from ${this.nameOf(peer.id)}: ${reason}`)
    })
    client.room.on('change', ({ id, path, presence, why }) =>
      this.#scene.trace(`${name} sees ${this.nameOf(id)}: ${presence}, ${path} (${why})`),
    )
    client.room.on('status', (status) => this.#scene.trace(`${name} is ${status}`))
    client.room.latest<number>('position').on('value', ({ from, value }) => {
      const before = actor.positions.get(from) ?? -1
      if (value < before)
        this.#scene.violations.push(`${name} heard position ${value} of ${this.nameOf(from)} after ${before}`)
      actor.positions.set(from, value)
    })
    for (const channel of CHANNELS) {
      const slow = channel === 'files' && this.#scene.random.chance(0.2)
      const reliable = client.room.channel<Payload>(channel)
      const hear = (id: string, data: unknown): void => this.#hear(actor, channel, id, data)
      const late = channel === 'moves' && this.#scene.random.chance(0.2)
      if (slow) {
        this.#scene.mayCut = true
        void this.#readSlowly(reliable, hear)
      } else if (late) {
        this.#scene.world.clock.setTimeout(
          () => reliable.on('message', ({ id, data }) => hear(id, data)),
          this.#scene.random.between(100, 10_000),
        )
      } else reliable.on('message', ({ id, data }) => hear(id, data))
    }
  }

  nameOf(id: PeerId): string {
    return this.actors.find(({ client }) => client.room.self?.id === id)?.client.name ?? id
  }

  of(name: string): Actor {
    return this.actors.find(({ client }) => client.name === name) as Actor
  }

  leave(actor: Actor): void {
    actor.here = false
    this.#scene.trace(`${actor.client.name} leaves`)
    void actor.client.room.leave()
  }

  async #readSlowly(
    channel: AsyncIterable<{ readonly id: string; readonly data: unknown }>,
    hear: (id: string, data: unknown) => void,
  ): Promise<void> {
    for await (const { id, data } of channel) {
      hear(id, data)
      await new Promise<void>((resolve) => this.#scene.world.clock.setTimeout(resolve, 50))
    }
  }

  #hear(actor: Actor, channel: string, id: string, data: unknown): void {
    const { name } = actor.client
    const sending = this.#talk.find(id)
    if (sending === undefined) {
      this.#scene.violations.push(`${name} heard ${id}, which nobody sent`)
      return
    }
    if (!isContent(sending, data)) this.#scene.violations.push(`${name} heard ${id} with other content`)
    if (sending.channel !== channel) this.#scene.violations.push(`${name} heard ${id} on ${channel}`)
    actor.heard.push({ id, channel, n: sending.n })
    actor.times.set(id, (actor.times.get(id) ?? 0) + 1)
  }
}
