import { Hub } from '../../../signaling/hub.ts'
import { HUB_DEFAULTS } from '../../../signaling/limits/hub-options.ts'
import { MemoryDepartures } from '../../../signaling/sessions/departures.ts'
import type { UplinkHandlers } from '../../../signaling/uplink.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { type FuzzTarget, type FuzzWorld, must } from './fuzz-target.ts'
import { HonestPair } from './honest-pair.ts'
import { believing, keptInMemory, MOST_KEPT } from './kept-in-memory.ts'
import { type Script, Scripts, type Spoken } from './scripts.ts'

const GRACE_MS = HUB_DEFAULTS.graceMs
/** Inputs between two looks at what is left of them. */
const LOOK_EVERY = 100

/** A hub in memory, with what it says of defects. */
export function hubInMemory(clock: SimClock, afterTurn: (run: () => void) => void) {
  const defects: unknown[] = []
  const random = new SeededRandom(1)
  const hub = new Hub({
    // Sessions come from one address, all of them.
    options: { ...HUB_DEFAULTS, connectionsPerAddress: 100_000 },
    clock,
    random: random.fill,
    log: { debug() {}, info() {}, warn() {}, error: (fields) => void defects.push(fields) },
    sessionKeys: [new Uint8Array(32).fill(7)],
    iceServers: () => ({ servers: [{ urls: ['stun:stun.test'] }], expiresAtMs: clock.nowMs() + 3_600_000 }),
    departures: new MemoryDepartures(),
    access: believing(clock),
    history: keptInMemory(clock, random, defects),
    afterTurn,
  })
  return { hub, defects, honest: new HonestPair(hub, random) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a hostile client knows of a session that it had before. */
interface Stolen {
  readonly token: string
  readonly instance: string
}

/** Hostile sessions over WebSockets, into a hub without a network, whose time passes when it is told to. */
class HubWorld implements FuzzWorld {
  readonly #clock = new SimClock()
  #turns: (() => void)[] = []
  readonly #scene = hubInMemory(this.#clock, (run) => this.#turns.push(run))
  #scripts = new Scripts({ peers: this.#scene.honest.peers })
  #stolen: Stolen | undefined
  #fed = 0

  static async begin(): Promise<HubWorld> {
    const world = new HubWorld()
    // What their access tokens allow is not known at once.
    await turn()
    must(
      world.#scene.honest.peers.every((id) => id !== ''),
      'the honest are not welcome',
    )
    world.#scripts = new Scripts({ peers: world.#scene.honest.peers })
    return world
  }

  async feed(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    const { honest, defects } = this.#scene
    honest.talk()
    await this.#session(this.#scripts.next(random), random)
    honest.talk()
    this.#settle()
    honest.look()
    must(
      defects.length === 0,
      `a defect was met: ${JSON.stringify(defects[0], Object.getOwnPropertyNames(Error.prototype))}`,
    )
    must(!('polluted' in {}), 'the prototype of all objects was changed')
    this.#fed += 1
    if (this.#fed % LOOK_EVERY === 0) await this.#look()
  }

  async end(): Promise<void> {
    await this.#look()
  }

  async #session(script: Script, random: SeededRandom): Promise<void> {
    let open = true
    let ours = ''
    const handlers: UplinkHandlers = this.#scene.hub.accept({
      address: '198.51.100.1',
      carrier: 'websocket',
      send: (message) => {
        if (typeof message === 'string' && message.startsWith('{"t":"welcome"')) {
          const { token } = JSON.parse(message) as { token: string }
          this.#stolen = { token, instance: ours }
        }
        return random.chance(0.02) ? 'queued' : 'sent'
      },
      queuedBytes: () => 0,
      pause: () => undefined,
      resume: () => undefined,
      close: () => {
        open = false
      },
    })
    for (const spoken of script) {
      // A closed uplink may go on talking: what was under way arrives.
      if (!open && random.chance(0.8)) break
      const said = this.#inPerson(spoken, random)
      if (typeof said === 'string') {
        ours = /"instance":"([0-9a-f]{32})"/.exec(said)?.[1] ?? ours
        handlers.text(said)
      } else {
        // Bytes are lent: whoever kept them sees rubbish.
        const lent = Uint8Array.from(said)
        handlers.binary(lent)
        lent.fill(0xee)
      }
      // Some things are known only later: what a token allows, what was stored.
      if (spoken === script[0] || random.chance(0.5)) await turn()
      if (random.chance(0.2)) this.#settle()
      if (random.chance(0.02)) handlers.drained()
    }
    handlers.closed()
  }

  /** Mostly a new client; at times one that has been here, or says so. */
  #inPerson(spoken: Spoken, random: SeededRandom): Spoken {
    if (typeof spoken !== 'string' || !spoken.includes('"join"') || random.chance(0.2)) return spoken
    const stolen = this.#stolen
    if (stolen !== undefined && random.chance(0.3)) {
      return spoken
        .replace(/"instance":"[0-9a-f]{32}"/, `"instance":"${stolen.instance}"`)
        .replace('"t":"join"', `"t":"join","token":${JSON.stringify(stolen.token)}`)
    }
    const fresh = (): string => {
      const bytes = Buffer.alloc(16)
      random.fill(bytes)
      return bytes.toString('hex')
    }
    return spoken
      .replace(/"instance":"[0-9a-f]{32}"/, `"instance":"${fresh()}"`)
      .replace(/"joinKey":"[0-9a-f]{32}"/, `"joinKey":"${fresh()}"`)
  }

  /** Turns of the loop, until nothing waits for the end of one. */
  #settle(): void {
    for (let turns = this.#turns; turns.length > 0; turns = this.#turns) {
      this.#turns = []
      for (const run of turns) run()
    }
  }

  /** When grace is over, nobody is left but the honest. */
  async #look(): Promise<void> {
    const untilMs = this.#clock.now() + GRACE_MS + 2_000
    while (this.#clock.step(untilMs)) this.#settle()
    while (this.#clock.now() < untilMs) {
      this.#clock.setTimeout(() => undefined, untilMs - this.#clock.now())
      this.#clock.step(untilMs)
    }
    // What was to be kept is being written.
    await turn()
    const { connections, members, rooms, away, history } = this.#scene.hub.stats()
    const left = JSON.stringify({ connections, members, rooms, away })
    must(left === '{"connections":2,"members":2,"rooms":1,"away":0}', `left behind: ${left}`)
    const { logs, bytes, waitingBytes } = history
    const bounded = logs <= MOST_KEPT.logs && bytes <= MOST_KEPT.bytes && waitingBytes === 0
    must(bounded, `${logs} logs of ${bytes} bytes are kept, and ${waitingBytes} wait`)
    this.#scene.honest.look()
  }
}

export const HUB_TARGET: FuzzTarget = { name: 'hub', begin: () => HubWorld.begin() }
