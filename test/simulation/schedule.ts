/**
 * One random schedule of a room: members come, talk, lose their networks and go; the network heals; and then every
 * promise of delivery is checked. Everything follows from the seed.
 */
import type { PeerId } from '../../signaling/protocol/index.ts'
import type { JoinOptions, Payload, Sent } from '../../web/client/face.ts'
import { nodePrimitives } from '../support/node-primitives.ts'
import { cheapPrimitives } from './cheap-primitives.ts'
import { type ContentOf, content, isContent } from './content.ts'
import { SeededRandom } from './seeded-random.ts'
import { type SimClient, SimWorld } from './sim-world.ts'

export interface ScheduleOptions {
  readonly seed: number
  readonly peers: number
  /** How long things go wrong, ms of simulated time. */
  readonly troubleMs: number
  /** Sealing with real cryptography, not with what stands in for it. */
  readonly realCiphers?: boolean
  readonly trace?: (line: string) => void
}

export interface ScheduleResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly sent: number
  readonly delivered: number
  /** By reason. */
  readonly missed: Readonly<Record<string, number>>
  /** What those who stayed were told, by reason. */
  readonly leaves: Readonly<Record<string, number>>
  readonly simulatedMs: number
}

/** A message as the schedule knows it. */
interface Sending extends ContentOf {
  readonly direct: boolean
  readonly id: string
  outcome: { readonly to: readonly PeerId[]; readonly missed: ReadonlyMap<PeerId, string> } | undefined
}

interface Actor {
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

const CHANNELS = ['chat', 'moves', 'files'] as const
/** Long enough for every back-off and grace period to run out. */
const CALM_MS = 120_000
/** For what is said when all is well; a slow reader has some to catch up with. */
const LAST_MS = 20_000

export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const run = new ScheduleRun(options)
  await run.run()
  return run.result()
}

class ScheduleRun {
  readonly #random: SeededRandom
  readonly #world: SimWorld
  readonly #actors: Actor[] = []
  readonly #sendings: Sending[] = []
  readonly #byId = new Map<string, Sending>()
  readonly #counts = new Map<string, number>()
  readonly #violations: string[] = []
  readonly #startMs: number
  #position = 0
  /** Something happened for which a member may be cut off: it reads slowly, or was out of reach for a grace period. */
  #mayCut = false

  constructor(private readonly options: ScheduleOptions) {
    this.#random = new SeededRandom(options.seed ^ 0x5eed)
    const { random } = { random: this.#random }
    this.#world = new SimWorld(options.seed, {
      delayMs: () => random.pick([1, 5, 25, 100]),
      primitives: options.realCiphers === true ? nodePrimitives : cheapPrimitives,
    })
    this.#startMs = this.#world.clock.now()
  }

  #trace(line: string): void {
    this.options.trace?.(`${String(this.#world.clock.now() - this.#startMs).padStart(8)} ${line}`)
  }

  async run(): Promise<void> {
    const { clock } = this.#world
    const first = this.#random.integer(1, this.options.peers + 1)
    for (let index = 0; index < first; index += 1) this.#join()
    const untilMs = clock.now() + this.options.troubleMs
    while (clock.now() < untilMs) {
      this.#act()
      await clock.run(this.#random.pick([0, 1, 5, 20, 100, 500]))
    }
    this.#heal()
    await clock.run(CALM_MS)
    await this.#sayLast()
    this.#check()
    for (const { client } of this.#actors) void client.room.leave()
    await clock.run(CALM_MS)
    if (clock.pending > 0) this.#violations.push(`${clock.pending} timers are left`)
    const { repeated } = this.#world.nonces
    if (repeated > 0) this.#violations.push(`${repeated} nonces were used again`)
  }

  #join(): void {
    if (this.#actors.filter(({ here }) => here).length >= this.options.peers) return
    const name = `p${this.#actors.length}`
    const relayOnly = this.#random.chance(0.15)
    const options: JoinOptions = relayOnly ? { paths: ['relay'] } : {}
    const client = this.#world.join('room', name, options, this.#random.pick([1, 10, 50]), this.#random.chance(0.3))
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
    for (const { client: other } of this.#actors) {
      if (this.#random.chance(0.2)) this.#world.paths.conditions(name, other.name).kind = 'turn'
    }
    this.#actors.push(actor)
    this.#trace(`${name} joins${relayOnly ? ', relay only' : ''}`)
    client.room.on('leave', ({ peer, reason }) => {
      actor.leaves.set(peer.id, reason)
      this.#trace(`${name} is told that ${this.#nameOf(peer.id)} left: ${reason}`)
    })
    client.room.on('gap', ({ peer, reason }) => {
      actor.gaps.add(peer.id)
      this.#trace(`${name} has a gap from ${this.#nameOf(peer.id)}: ${reason}`)
    })
    client.room.on('change', ({ id, path, presence, why }) =>
      this.#trace(`${name} sees ${this.#nameOf(id)}: ${presence}, ${path} (${why})`),
    )
    client.room.on('status', (status) => this.#trace(`${name} is ${status}`))
    client.room.latest<number>('position').on('value', ({ from, value }) => {
      const before = actor.positions.get(from) ?? -1
      if (value < before)
        this.#violations.push(`${name} heard position ${value} of ${this.#nameOf(from)} after ${before}`)
      actor.positions.set(from, value)
    })
    for (const channel of CHANNELS) {
      const slow = channel === 'files' && this.#random.chance(0.2)
      const reliable = client.room.channel<Payload>(channel)
      const hear = (id: string, data: unknown): void => this.#hear(actor, channel, id, data)
      const late = channel === 'moves' && this.#random.chance(0.2)
      if (slow) {
        this.#mayCut = true
        void this.#readSlowly(reliable, hear)
      } else if (late) {
        this.#world.clock.setTimeout(
          () => reliable.on('message', ({ id, data }) => hear(id, data)),
          this.#random.between(100, 10_000),
        )
      } else reliable.on('message', ({ id, data }) => hear(id, data))
    }
  }

  #nameOf(id: PeerId): string {
    return this.#actors.find(({ client }) => client.room.self?.id === id)?.client.name ?? id
  }

  async #readSlowly(
    channel: AsyncIterable<{ readonly id: string; readonly data: unknown }>,
    hear: (id: string, data: unknown) => void,
  ): Promise<void> {
    for await (const { id, data } of channel) {
      hear(id, data)
      await new Promise<void>((resolve) => this.#world.clock.setTimeout(resolve, 50))
    }
  }

  #hear(actor: Actor, channel: string, id: string, data: unknown): void {
    const { name } = actor.client
    const sending = this.#byId.get(id)
    if (sending === undefined) {
      this.#violations.push(`${name} heard ${id}, which nobody sent`)
      return
    }
    if (!isContent(sending, data)) this.#violations.push(`${name} heard ${id} with other content`)
    if (sending.channel !== channel) this.#violations.push(`${name} heard ${id} on ${channel}`)
    actor.heard.push({ id, channel, n: sending.n })
    actor.times.set(id, (actor.times.get(id) ?? 0) + 1)
  }

  #act(): void {
    const actors = this.#actors.filter(({ here }) => here)
    if (actors.length === 0) {
      this.#join()
      return
    }
    const actor = this.#random.pick(actors)
    const what = this.#random.next()
    if (what < 0.65) this.#send(actor)
    else if (what < 0.72) this.#move(actor)
    else if (what < 0.78) this.#join()
    else if (what < 0.8) this.#leave(actor)
    else this.#trouble(actor, actors)
  }

  #send(actor: Actor): void {
    const { client } = actor
    const channel = this.#random.pick(CHANNELS)
    const peers = [...client.room.peers.keys()]
    const direct = peers.length > 0 && this.#random.chance(0.25)
    const to = direct ? peers.filter(() => this.#random.chance(0.6)) : undefined
    const count = this.#random.pick([1, 1, 1, 5, 40])
    for (let index = 0; index < count; index += 1) {
      if (!this.#sendOne(actor, channel, this.#size(count), to)) return
    }
    this.#trace(`${client.name} sends ${count} on ${channel}${to ? ` to ${to.length}` : ''}`)
  }

  /** False: the queue is full. */
  #sendOne({ client }: Actor, channel: (typeof CHANNELS)[number], bytes: number, to: PeerId[] | undefined): boolean {
    const key = `${client.name} ${channel}`
    const n = this.#counts.get(key) ?? 0
    this.#counts.set(key, n + 1)
    let sent: Sent
    try {
      sent = client.room
        .channel<Payload>(channel)
        .send(content({ from: client.name, channel, n, bytes }), to ? { to } : {})
    } catch (error) {
      if ((error as { code?: string }).code !== 'queue-full') throw error
      return false
    }
    const sending: Sending = {
      from: client.name,
      channel,
      n,
      bytes,
      direct: to !== undefined,
      id: sent.id,
      outcome: undefined,
    }
    this.#sendings.push(sending)
    this.#byId.set(sent.id, sending)
    void sent.delivered.then((outcome) => {
      sending.outcome = outcome
    })
    return true
  }

  /** Small messages, one every few ms. */
  #trickle(actor: Actor, count: number): void {
    if (count === 0 || !actor.here || !this.#sendOne(actor, 'chat', 50, undefined)) return
    this.#world.clock.setTimeout(() => this.#trickle(actor, count - 1), this.#random.between(1, 10))
  }

  #move(actor: Actor): void {
    actor.client.room.latest<number>('position').set(this.#position)
    this.#position += 1
  }

  #size(count: number): number {
    const kind = this.#random.next()
    if (kind < 0.1) return 0
    if (kind < 0.85 || count > 5) return this.#random.integer(1, 300)
    if (kind < 0.95) return this.#random.integer(10_000, 60_000)
    return this.#random.integer(200_000, 2_000_000)
  }

  #leave(actor: Actor): void {
    actor.here = false
    this.#trace(`${actor.client.name} leaves`)
    void actor.client.room.leave()
  }

  #trouble(actor: Actor, actors: readonly Actor[]): void {
    const random = this.#random
    const { uplink, name } = actor.client
    const other = random.pick(actors)
    const pair = this.#world.paths.conditions(name, other.client.name)
    const pipe = [...pair.from.values()][random.integer(0, pair.from.size)]
    const later = (undo: () => void, mostMs = 8_000): void => {
      this.#world.clock.setTimeout(undo, random.between(100, mostMs))
    }
    const kind = random.pick(TROUBLES)
    this.#trace(`${kind}: ${name}${other === actor ? '' : ` and ${other.client.name}`}`)
    switch (kind) {
      case 'carrier drops':
        this.#world.server.drop(uplink)
        return
      case 'uplink goes dark': {
        const pipes = random.pick([[uplink.up], [uplink.down], [uplink.up, uplink.down]])
        for (const each of pipes) each.blackhole = true
        later(() => {
          for (const each of pipes) each.blackhole = false
        })
        return
      }
      case 'uplink is dark for long':
        this.#mayCut = true
        // Longer than the grace period.
        for (const each of [uplink.up, uplink.down]) each.blackhole = true
        this.#world.clock.setTimeout(
          () => {
            for (const each of [uplink.up, uplink.down]) each.blackhole = false
          },
          random.between(15_000, 60_000),
        )
        return
      case 'frames are unruly':
        Object.assign(uplink.frames, {
          loss: random.pick([0, 0.05, 0.2]),
          repeats: random.pick([0, 0.2]),
          jitterMs: 50,
        })
        later(() => {
          Object.assign(uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
        })
        return
      case 'a trickle is lossy': {
        // One frame in a packet, and many packets under way: only so do acknowledgements have several holes at once.
        if (other === actor) return
        Object.assign(uplink.frames, { loss: random.pick([0.1, 0.3]), repeats: 0.1, jitterMs: random.pick([0, 50]) })
        pair.impossible = true
        this.#world.paths.close(name, other.client.name)
        this.#trickle(other, random.integer(20, 100))
        later(() => {
          Object.assign(uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
          pair.impossible = false
        })
        return
      }
      case 'uplink is refused':
        uplink.refused = true
        this.#world.server.drop(uplink)
        later(() => {
          uplink.refused = false
        })
        return
      case 'uplink is slow':
        uplink.down.bytesPerSecond = 200_000
        uplink.up.bytesPerSecond = 200_000
        later(() => {
          uplink.down.bytesPerSecond = 0
          uplink.up.bytesPerSecond = 0
        })
        return
      case 'server restarts':
        this.#world.server.kill()
        later(() => this.#world.server.start(), 5_000)
        return
      case 'path goes dark':
        if (pipe === undefined) return
        pipe.blackhole = true
        later(() => {
          pipe.blackhole = false
        })
        return
      case 'path closes':
        this.#world.paths.close(name, other.client.name)
        return
      case 'paths are hollow':
        pair.hollow = true
        later(() => {
          pair.hollow = false
        })
        return
      case 'paths are impossible':
        pair.impossible = true
        this.#world.paths.close(name, other.client.name)
        later(() => {
          pair.impossible = false
        })
        return
      case 'path is lossy':
        if (pipe === undefined) return
        pipe.loss = random.pick([0.01, 0.05, 0.2])
        pipe.jitterMs = 30
        later(() => {
          pipe.loss = 0
          pipe.jitterMs = 0
        })
        return
      case 'path is slow': {
        this.#mayCut = true
        // And long, and there is enough to send: bulk goes by paths beside it, each as slow. They may be so in the calm, too.
        const bytesPerSecond = random.pick([100_000, 400_000])
        for (const { client } of actors) {
          for (const each of this.#world.paths.conditions(name, client.name).from.values()) {
            each.delayMs = Math.max(25, each.delayMs)
            each.bytesPerSecond = bytesPerSecond
            later(() => {
              each.bytesPerSecond = 0
            }, 20_000)
          }
        }
        this.#sendOne(actor, 'files', random.integer(500_000, 1_500_000), undefined)
        return
      }
      case 'one path goes dark': {
        const open = this.#world.paths.open(name, other.client.name)
        if (open.length > 0) random.pick(open).mute()
        return
      }
      case 'network changes':
        this.#world.server.drop(uplink)
        actor.client.network('change')
    }
  }

  #heal(): void {
    this.#trace('all is well again')
    this.#world.server.start()
    for (const { client } of this.#actors) {
      client.uplink.refused = false
      Object.assign(client.uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
      for (const pipe of [client.uplink.up, client.uplink.down]) {
        pipe.blackhole = false
        pipe.bytesPerSecond = 0
      }
      for (const { client: other } of this.#actors) {
        const pair = this.#world.paths.conditions(client.name, other.name)
        pair.hollow = false
        pair.impossible = false
        for (const pipe of pair.from.values()) {
          pipe.blackhole = false
          pipe.loss = 0
          pipe.jitterMs = 0
        }
      }
    }
  }

  /** All is well for a while: whatever is said now reaches everyone who is here. */
  async #sayLast(): Promise<void> {
    const here = this.#actors.filter((actor) => actor.here)
    const ids = here.map(({ client }) => client.room.self?.id)
    const last: [string, Sent][] = []
    const positions = new Map<PeerId, number>()
    for (const { client } of here) {
      const { room, name } = client
      const self = room.self?.id
      if (room.peers.size !== here.length - 1) {
        this.#violations.push(`${name} sees ${room.peers.size} peers of ${here.length - 1}`)
      }
      for (const channel of CHANNELS) {
        for (const to of [undefined, [...room.peers.keys()]]) {
          const key = `${name} ${channel}`
          const n = this.#counts.get(key) ?? 0
          this.#counts.set(key, n + 1)
          const sent = room
            .channel<Payload>(channel)
            .send(content({ from: name, channel, n, bytes: 9 }), to === undefined ? {} : { to })
          const sending: Sending = {
            from: name,
            channel,
            n,
            bytes: 9,
            direct: to !== undefined,
            id: sent.id,
            outcome: undefined,
          }
          this.#byId.set(sent.id, sending)
          last.push([`${name} ${channel} ${n} at last`, sent])
        }
      }
      if (self !== undefined) positions.set(self, this.#position)
      this.#move({ client } as Actor)
    }
    const outcomes = new Map<string, Awaited<Sent['delivered']>>()
    for (const [label, { delivered }] of last) void delivered.then((outcome) => outcomes.set(label, outcome))
    await this.#world.clock.run(LAST_MS)
    for (const [label] of last) {
      const outcome = outcomes.get(label)
      if (outcome === undefined) this.#violations.push(`${label}: delivered never resolved`)
      else if (outcome.missed.size > 0) this.#violations.push(`${label}: missed by ${[...outcome.missed.values()]}`)
      else if (
        ids.some((id) => id !== undefined && !label.startsWith(`${this.#nameOf(id)} `) && !outcome.to.includes(id))
      ) {
        this.#violations.push(`${label}: not sent to everyone`)
      }
    }
    for (const { client, positions: heard } of here) {
      for (const [peer, position] of positions) {
        if (peer !== client.room.self?.id && heard.get(peer) !== position) {
          this.#violations.push(`${client.name} does not know the last position of ${this.#nameOf(peer)}`)
        }
      }
    }
  }

  #check(): void {
    for (const actor of this.#actors) {
      const { self } = actor.client.room
      if (self !== undefined) actor.peerIds.add(self.id)
    }
    for (const sending of this.#sendings) this.#checkOutcome(sending)
    for (const actor of this.#actors) this.#checkHeard(actor)
  }

  /** `delivered` resolved, and said the truth. */
  #checkOutcome(sending: Sending): void {
    const { outcome, id, from } = sending
    const label = `${from} ${sending.channel} ${sending.n} (${id})`
    if (outcome === undefined) {
      this.#violations.push(`${label}: delivered never resolved`)
      return
    }
    for (const peer of outcome.to) {
      const receiver = this.#actors.find(({ peerIds }) => peerIds.has(peer))
      if (receiver === undefined) continue
      const times = receiver.times.get(id) ?? 0
      const missed = outcome.missed.get(peer)
      if (missed === undefined && times !== 1) {
        this.#violations.push(`${label}: said to be delivered to ${receiver.client.name}, who heard it ${times} times`)
      }
      if (missed === 'left' && receiver.here && !this.#actorOf(from).leaves.has(peer)) {
        this.#violations.push(`${label}: said to be missed by ${receiver.client.name}, who never left`)
      }
      if (missed === 'lagging' && !this.#mayCut) {
        this.#violations.push(`${label}: ${receiver.client.name} was cut off for nothing`)
      }
      if (
        missed === 'lagging' &&
        this.#actorOf(from).here &&
        !receiver.client.room.peers.has(peer) &&
        receiver.here &&
        receiver.gaps.size === 0
      ) {
        this.#violations.push(`${label}: ${receiver.client.name} was cut off and not told`)
      }
      if (times > 1) this.#violations.push(`${label}: heard ${times} times by ${receiver.client.name}`)
    }
  }

  #actorOf(name: string): Actor {
    return this.#actors.find(({ client }) => client.name === name) as Actor
  }

  /** Once each, and in the order sent, within a channel to one audience. */
  #checkHeard(actor: Actor): void {
    const last = new Map<string, number>()
    const ids = new Set<string>()
    for (const { id, n, channel } of actor.heard) {
      const sending = this.#byId.get(id)
      if (sending === undefined) continue
      if (ids.has(id)) this.#violations.push(`${actor.client.name} heard ${id} twice`)
      ids.add(id)
      const key = `${sending.from} ${channel} ${sending.direct}`
      if (n <= (last.get(key) ?? -1))
        this.#violations.push(`${actor.client.name} heard ${sending.from} ${channel} ${n} late`)
      last.set(key, n)
    }
  }

  result(): ScheduleResult {
    const outcomes = this.#sendings.map(({ outcome }) => outcome)
    return {
      seed: this.options.seed,
      violations: this.#violations,
      sent: this.#sendings.length,
      delivered: outcomes.reduce((sum, outcome) => sum + (outcome ? outcome.to.length - outcome.missed.size : 0), 0),
      leaves: countBy(this.#actors.filter(({ here }) => here).flatMap(({ leaves }) => [...leaves.values()])),
      missed: countBy(outcomes.flatMap((outcome) => [...(outcome?.missed.values() ?? [])])),
      simulatedMs: this.#world.clock.now() - this.#startMs,
    }
  }
}

function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

const TROUBLES = [
  'carrier drops',
  'uplink goes dark',
  'uplink is dark for long',
  'frames are unruly',
  'a trickle is lossy',
  'uplink is refused',
  'uplink is slow',
  'server restarts',
  'path goes dark',
  'path closes',
  'paths are hollow',
  'paths are impossible',
  'path is lossy',
  'path is slow',
  'one path goes dark',
  'network changes',
] as const
