import { fromEnvelope, readEnvelope } from '../../../signaling/protocol/envelope.ts'
import type { PeerId } from '../../../signaling/protocol/ids.ts'
import type { OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import type { JoinOptions, Sent } from '../../../web/client/face.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'
import { type FuzzTarget, type FuzzWorld, must } from './fuzz-target.ts'
import { mutated } from './mutate.ts'

/** Frames of the hostile member that are kept to be changed. */
const MATERIAL = 300
/** Inputs between two messages of the honest, and between two of the hostile member's own. */
const TALK_EVERY = 20
const LIVE_EVERY = 200
const STEP_MS = 100
const PATIENCE_MS = 60_000
const SECRET = 'AAECAwQFBgcICQoLDA0ODw'

/**
 * Frames of a member, recorded while it lives and changed on their way, come to the real client. What a third member says
 * to that client must come as if nothing were.
 */
class MemberWorld implements FuzzWorld {
  readonly #sim: SimWorld
  readonly #ada: SimClient
  readonly #bo: SimClient
  readonly #eve: SimClient
  readonly #material: Buffer[] = []
  readonly #heard: number[] = []
  readonly #sent: Sent[] = []
  readonly #uncaught: unknown[] = []
  #inject: (bytes: Uint8Array) => void = () => undefined
  #fed = 0

  constructor(options: JoinOptions) {
    const random = new SeededRandom(3)
    this.#sim = new SimWorld(random.integer(0, 2 ** 31), {
      between: (name, open) => (name === 'Bo' ? this.#overhearing(open) : open),
    })
    const enter = (name: string): SimClient => this.#sim.join('room', name, { paths: ['relay'], ...options })
    this.#ada = enter('Ada')
    this.#bo = enter('Bo')
    this.#eve = enter('Eve')
    const chat = this.#bo.room.channel<number>('chat')
    chat.on('message', ({ from, data }) => {
      if (from === this.#ada.room.self?.id) this.#heard.push(data)
    })
    this.#eve.room.channel('chat').on('message', () => undefined)
    for (const name of ['odd', 'bytes']) this.#bo.room.channel(name).on('message', () => undefined)
    this.#bo.room.latest('position').on('value', () => undefined)
    this.#bo.room.procedure<number, number>('ask', (n) => n + 1)
    this.#bo.room.channel('files').on('offer', (offer) => void offer.accept().cancel())
    process.on('uncaughtException', this.#caught)
  }

  static async begin(options: JoinOptions): Promise<MemberWorld> {
    const world = new MemberWorld(options)
    await world.#sim.clock.run(2_000)
    must(world.#bo.room.peers.size === 2, 'they did not meet')
    world.#live()
    await world.#sim.clock.run(2_000)
    must(world.#material.length > 0, 'nothing of hers was heard')
    return world
  }

  async feed(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    for (let times = random.integer(1, 4); times > 0; times -= 1) {
      let payload: Buffer = random.pick(this.#material)
      // Some come again as they were, late and out of order.
      for (let changes = random.integer(0, 4); changes > 0; changes -= 1) {
        payload = mutated(payload, random, random.pick(this.#material)).subarray(0, 65_536)
      }
      const slot = random.chance(0.1) ? random.integer(0, 2 ** 32) : undefined
      this.#inject(fromEnvelope(this.#eve.room.self?.id as PeerId, payload, slot))
    }
    this.#fed += 1
    if (this.#fed % TALK_EVERY === 0) this.#sent.push(this.#ada.room.channel<number>('chat').send(this.#sent.length))
    if (this.#fed % LIVE_EVERY === 0) this.#live()
    if (this.#fed % TALK_EVERY === 0) await this.#sim.clock.run(STEP_MS)
    must(this.#uncaught.length === 0, `the client threw: ${(this.#uncaught[0] as Error)?.stack}`)
  }

  async end(): Promise<void> {
    let open = this.#sent.length
    const missed: string[] = []
    for (const { delivered } of this.#sent) {
      void delivered.then((outcome) => {
        open -= 1
        missed.push(...[...outcome.missed].map(([id, why]) => `${id}: ${why}`))
      })
    }
    for (let waitedMs = 0; open > 0 && waitedMs < PATIENCE_MS; waitedMs += 1_000) await this.#sim.clock.run(1_000)
    process.off('uncaughtException', this.#caught)
    must(this.#uncaught.length === 0, `the client threw: ${(this.#uncaught[0] as Error)?.stack}`)
    must(open === 0, `${open} messages were not delivered`)
    must(missed.length === 0, `messages missed somebody: ${missed.join(', ')}`)
    must(
      this.#heard.length === this.#sent.length && this.#heard.every((n, index) => n === index),
      `${this.#sent.length} messages were sent, and came as ${this.#heard.join(' ')}`,
    )
    for (const { room } of this.#sim.clients) void room.leave()
    await this.#sim.clock.run(STEP_MS)
  }

  readonly #caught = (error: unknown): void => void this.#uncaught.push(error)

  /** A little of everything, so that there is something to change. */
  #live(): void {
    const { room } = this.#eve
    room.channel<object>('odd').send({ text: 'something', n: this.#fed })
    room.channel<object>('odd').send({ text: 'to one alone' }, { to: this.#bo.room.self?.id as PeerId })
    room.channel<Uint8Array>('bytes').send(new Uint8Array(20_000).fill(this.#fed))
    room.latest<object>('position').set({ x: this.#fed }, { key: 'ball' })
    room
      .procedure<number, number>('ask')(this.#bo.room.self?.id as PeerId, 1)
      .catch(() => undefined)
    room.channel('files').offer(new Blob([new Uint8Array(1_000)]))
  }

  #overhearing(open: OpenCarrier): OpenCarrier {
    return (server, first, events, clock, plain) => {
      this.#inject = (bytes) => events.binary(bytes)
      const heard = (bytes: Uint8Array): void => {
        for (let at = 0; at < bytes.length; ) {
          const view = readEnvelope(bytes, at)
          if (view.peer === this.#eve.room.self?.id) {
            this.#material.push(Buffer.from(bytes.subarray(view.payloadStart, view.end)))
            if (this.#material.length > MATERIAL) this.#material.shift()
          }
          at = view.end
        }
      }
      const told = {
        ...{ opened: () => events.opened(), text: (text: string) => events.text(text) },
        binary: (bytes: Uint8Array) => {
          heard(bytes)
          events.binary(bytes)
        },
        closed: (code: number, reason: string) => events.closed(code, reason),
      }
      return open(server, first, told, clock, plain)
    }
  }
}

export const MEMBER_TARGETS: readonly FuzzTarget[] = [
  { name: 'member-open', begin: () => MemberWorld.begin({ sealing: 'open' }) },
  { name: 'member-sealed', begin: () => MemberWorld.begin({ secret: SECRET }) },
]
