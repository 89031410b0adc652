import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MemoryCells } from '../../../signaling/history/cells.ts'
import { LogStore } from '../../../signaling/history/log-store.ts'
import { parseHistoryRule } from '../../../signaling/history/rules.ts'
import type { CarrierEvents, OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import { PartylineError } from '../../../web/client/errors.ts'
import type { JoinOptions } from '../../../web/client/face.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'
import { type FuzzTarget, type FuzzWorld, must } from './fuzz-target.ts'
import { mutated, mutatedText } from './mutate.ts'
import { recordings } from './recording.ts'

type Said = string | Buffer

/** What servers have said to this client, and is kept to be changed. */
const MATERIAL = 400
const STEP_MS = 50
const TALK_EVERY = 20
/** A little of the way back from a back-off. */
const RETURN_MS = 5_000
/** Longer than any back-off, grace period and patience of a client. */
const PATIENCE_MS = 300_000
const GROWN_BYTES = 64 * 1_048_576
const SECRET = 'AAECAwQFBgcICQoLDA0ODw'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heldBytes = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const recorded: readonly Said[] = recordings()
  .flatMap(({ sessions }) => sessions.flatMap(({ steps }) => steps))
  .flatMap((step): Said[] =>
    'down' in step ? [step.down] : 'downBytes' in step ? [Buffer.from(step.downBytes, 'base64')] : [],
  )

/** The real client, whose server says what servers have said elsewhere, at any time and changed anywhere. */
class LyingServerWorld implements FuzzWorld {
  readonly #sim: SimWorld
  readonly #options: JoinOptions
  readonly #ada: SimClient
  readonly #material: Said[] = []
  readonly #uncaught: unknown[] = []
  #bo: SimClient
  #events: CarrierEvents | undefined
  #heldBytes = 0
  #entered = 0
  #fed = 0

  constructor(options: JoinOptions) {
    this.#options = { paths: ['relay'], history: { last: 10 }, ...options }
    const random = new SeededRandom(4)
    const rules = [parseHistoryRule('*;mail=5')].flatMap((rule) => rule ?? [])
    const store = new LogStore({
      ...{ cells: new MemoryCells(), nowMs: () => this.#sim.clock.now(), random: random.fill },
      ...{ bounds: () => ({ messages: 50, ageMs: 3_600_000 }), mostBytes: 1_048_576, failed: () => undefined },
    })
    this.#sim = new SimWorld(random.integer(0, 2 ** 31), {
      history: { rules, store },
      between: (name, open) => (name === 'Ada' ? open : this.#overheard(open)),
    })
    this.#ada = this.#sim.join('room', 'Ada', this.#options)
    this.#ada.room.channel('chat').on('message', () => undefined)
    this.#bo = this.#enter()
    process.on('uncaughtException', this.#caught)
    process.on('unhandledRejection', this.#caught)
  }

  static async begin(options: JoinOptions): Promise<LyingServerWorld> {
    const world = new LyingServerWorld(options)
    world.#live()
    await world.#sim.clock.run(3_000)
    must(world.#material.length > 0, 'nothing was said')
    world.#heldBytes = heldBytes()
    return world
  }

  async feed(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    await this.#settled(RETURN_MS)
    for (let times = random.integer(1, 4); times > 0; times -= 1) this.#say(this.#lie(random))
    this.#fed += 1
    if (this.#fed % TALK_EVERY === 0) this.#live()
    await this.#sim.clock.run(random.chance(0.05) ? 20 * STEP_MS : STEP_MS)
    this.#look()
    if (this.#bo.room.status !== 'closed') return
    await this.#closedWell()
    this.#bo = this.#enter()
    await this.#sim.clock.run(200)
  }

  async end(): Promise<void> {
    // It goes on, or has closed: it waits for nothing for ever.
    must(await this.#settled(PATIENCE_MS), `the client is ${this.#bo.room.status} after ${PATIENCE_MS} ms`)
    if (this.#bo.room.status === 'closed') await this.#closedWell()
    const grownBytes = heldBytes() - this.#heldBytes
    must(grownBytes < GROWN_BYTES, `what is held has grown by ${grownBytes} bytes`)
    for (const { room } of [this.#ada, this.#bo]) void room.leave()
    await this.#sim.clock.run(5_000)
    this.#look()
    process.off('uncaughtException', this.#caught)
    process.off('unhandledRejection', this.#caught)
  }

  readonly #caught = (error: unknown): void => void this.#uncaught.push(error)

  #look(): void {
    const [first] = this.#uncaught
    must(this.#uncaught.length === 0, `the client threw: ${first instanceof Error ? first.stack : String(first)}`)
    must(!('polluted' in {}), 'the prototype of all objects was changed')
  }

  /** Whether it is online, or closed, within so long; a client that is neither hears nobody. */
  async #settled(mostMs: number): Promise<boolean> {
    const settled = (): boolean => ['online', 'closed'].includes(this.#bo.room.status)
    for (let waitedMs = 0; !settled() && waitedMs < mostMs; waitedMs += 10 * STEP_MS) {
      await this.#sim.clock.run(10 * STEP_MS)
    }
    return settled()
  }

  async #closedWell(): Promise<void> {
    const error = await this.#bo.room.closed
    must(error instanceof PartylineError, `the client closed with ${String(error)}`)
  }

  #enter(): SimClient {
    this.#entered += 1
    // Rooms that are over are nobody's any more.
    const index = this.#sim.clients.findIndex(({ room }) => room.status === 'closed')
    if (index >= 0) this.#sim.clients.splice(index, 1)
    const client = this.#sim.join('room', `Bo ${this.#entered}`, this.#options)
    const { room } = client
    for (const name of ['chat', 'bytes']) room.channel(name).on('message', () => undefined)
    room.latest('position').on('value', () => undefined)
    room.procedure<number, number>('ask', (n) => n + 1)
    room.channel('files').on('offer', (offer) => void offer.accept().cancel())
    for (const event of ['join', 'leave', 'change', 'gap', 'missed', 'forgotten', 'read', 'refused'] as const) {
      room.on(event, () => undefined)
    }
    return client
  }

  #say(said: Said): void {
    if (typeof said === 'string') this.#events?.text(said)
    else this.#events?.binary(Uint8Array.from(said))
  }

  /** Something that was said before, here or elsewhere, mostly changed. */
  #lie(random: SeededRandom): Said {
    const pick = (): Said => random.pick(random.chance(0.7) ? this.#material : recorded)
    let said = pick()
    for (let changes = random.integer(0, 4); changes > 0; changes -= 1) {
      const other = pick()
      if (random.chance(0.02)) said = typeof said === 'string' ? Buffer.from(said) : said.toString('utf8')
      else if (typeof said === 'string') said = mutatedText(said, random, other.toString())
      else said = mutated(said, random, Buffer.from(other))
    }
    return said
  }

  /** A little of everything, so that there is something to lie about. */
  #live(): void {
    for (const { room } of [this.#ada, this.#bo]) {
      if (room.status === 'closed') continue
      const sent = room.channel<object>('chat').send({ n: this.#fed }, { store: true })
      for (const promise of [sent.accepted, sent.delivered, sent.stored]) promise.catch(() => undefined)
      room.setProfile({ n: this.#fed }).catch(() => undefined)
      room.history({ limit: 3 }).catch(() => undefined)
      room.readPositions().catch(() => undefined)
    }
    this.#ada.room.latest<object>('position').set({ n: this.#fed })
  }

  #overheard(open: OpenCarrier): OpenCarrier {
    const keep = (said: Said): void => {
      this.#material.push(said)
      if (this.#material.length > MATERIAL) this.#material.shift()
    }
    return (server, first, events, clock, plain) => {
      let over = false
      // What the newest carrier brings.
      const lies: CarrierEvents = {
        opened: (again) => events.opened(again),
        closed: (code, reason) => {
          over = true
          events.closed(code, reason)
        },
        text: (text) => {
          if (!over) events.text(text)
        },
        binary: (bytes) => {
          if (!over) events.binary(bytes)
        },
      }
      this.#events = lies
      const carrier = open(
        server,
        first,
        {
          ...lies,
          text: (text) => {
            keep(text)
            lies.text(text)
          },
          binary: (bytes) => {
            keep(Buffer.from(bytes))
            lies.binary(bytes)
          },
        },
        clock,
        plain,
      )
      return {
        kind: carrier.kind,
        send: (message) => carrier.send(message),
        bufferedBytes: () => carrier.bufferedBytes(),
        close: (code, reason) => {
          over = true
          carrier.close(code, reason)
        },
      }
    }
  }
}

export const SERVER_TARGETS: readonly FuzzTarget[] = [
  { name: 'server-open', begin: () => LyingServerWorld.begin({ sealing: 'open' }) },
  { name: 'server-sealed', begin: () => LyingServerWorld.begin({ secret: SECRET }) },
]
