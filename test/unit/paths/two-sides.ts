import type { LinkMessage } from '../../../signaling/protocol/index.ts'
import type { PathPolicy } from '../../../web/client/paths/ice-servers.ts'
import type { DirectPath } from '../../../web/client/paths/path.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import type { FakePath } from './fake-path.ts'
import { ANY_PATH, OneSide, pass } from './one-side.ts'

/** Small, seeded, and good enough (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What the network does with a peer connection. */
export interface Weather {
  /** ms each way. */
  delayMs: number
  /** `never`: ICE goes on for ever; `one-sided`: only one side opens; `mute`: opens and carries nothing. */
  direct: 'opens' | 'never' | 'fails' | 'one-sided' | 'mute'
  /** The same for attempts in which a side gathered with TURN. */
  turn: 'opens' | 'never'
  /** Signals are lost: the link was cut in between. */
  losesSignals: boolean
}

export interface TwoSidesOptions {
  readonly seed?: number
  readonly policies?: readonly [PathPolicy, PathPolicy]
  readonly slots?: readonly [SlotPool, SlotPool]
  readonly weather?: Partial<Weather>
}

const usesTurn = ({ options }: FakePath): boolean =>
  options.iceServers.some(({ urls }) => urls.some((url) => url.startsWith('turn')))

/** Two sides of a link, wired to each other through a network, with a link above each that pings and gives up. */
export class TwoSides {
  readonly clock = new FakeClock()
  readonly random: () => number
  readonly weather: Weather
  readonly slots: readonly [SlotPool, SlotPool]
  readonly sides: readonly [OneSide, OneSide]

  constructor({ seed = 1, policies = [ANY_PATH, ANY_PATH], slots, weather }: TwoSidesOptions = {}) {
    this.random = seeded(seed)
    this.slots = slots ?? [new SlotPool(16), new SlotPool(16)]
    this.weather = { delayMs: 25, direct: 'opens', turn: 'opens', losesSignals: false, ...weather }
    const side = (index: 0 | 1): OneSide => {
      const made: OneSide = new OneSide(
        {
          initiator: index === 0,
          random: this.random,
          policy: policies[index],
          slots: this.slots[index],
          say: (message) => {
            made.said.push(message)
            this.#carry(message, index)
          },
          events: {
            opened: (path) => this.#ping(index, path),
            closed: (path, reason) => made.log.push(`closed ${path.attempt}: ${reason}`),
            path: (path) => {
              made.inUse = path
            },
            frame: () => {},
            writable: () => {},
            kindChanged: () => {},
            changed: () => {},
          },
        },
        this.clock,
        { answered: (path) => this.#negotiated(path), closed: (path) => this.#closed(index, path) },
      )
      return made
    }
    this.sides = [side(0), side(1)]
  }

  start(): this {
    for (const { attempts } of this.sides) attempts.start()
    return this
  }

  pass(ms: number): Promise<void> {
    return pass(this.clock, ms, 25)
  }

  /** Both use the same path. */
  get agree(): boolean {
    const [a, b] = this.sides
    return a.inUse !== undefined && a.inUse.attempt === b.inUse?.attempt
  }

  get inUse(): string {
    return this.sides.map(({ inUse }) => (inUse ? `${inUse.attempt} ${inUse.kind}` : 'none')).join(' · ')
  }

  /** The paths die in silence: each link notices in its own time. */
  blackhole(): void {
    this.sides.forEach(({ attempts }) => {
      const { current } = attempts
      if (current === undefined) return
      this.clock.setTimeout(() => attempts.lost(current, 'no answer'), 500 + this.random() * 5_000)
    })
  }

  /** Each link has pinged its path, and gives up one whose other end is gone. */
  notice(): void {
    for (const index of [0, 1] as const) {
      const { attempts } = this.sides[index]
      const { current } = attempts
      if (current !== undefined && this.#other(index, current) === undefined) attempts.lost(current, 'no answer')
    }
  }

  stop(): void {
    for (const { attempts } of this.sides) attempts.stop()
  }

  #carry(message: LinkMessage, from: 0 | 1): void {
    if (this.weather.losesSignals) return
    this.clock.setTimeout(() => this.sides[1 - from]?.attempts.receive(message), this.weather.delayMs)
  }

  #other(index: 0 | 1, { attempt }: DirectPath): FakePath | undefined {
    return this.sides[1 - index]?.paths.find((path) => path.attempt === attempt && !path.closed)
  }

  #negotiated(offering: FakePath): void {
    const answering = this.#other(0, offering)
    if (answering === undefined) return
    const turn = usesTurn(offering) || usesTurn(answering)
    const outcome = turn && this.weather.direct !== 'opens' ? this.weather.turn : this.weather.direct
    const kind = turn && this.weather.direct !== 'opens' ? 'turn' : 'direct'
    const later = (run: () => void): void => void this.clock.setTimeout(run, this.weather.delayMs * 4)
    if (outcome === 'fails') later(() => offering.fail())
    if (outcome === 'opens' || outcome === 'mute' || outcome === 'one-sided') {
      later(() => offering.open(kind))
      if (outcome !== 'one-sided') later(() => answering.open(kind))
    }
  }

  #ping(index: 0 | 1, path: DirectPath): void {
    if (this.weather.direct === 'mute' && path.kind === 'direct') return
    const again = (): void => {
      const side = this.sides[index]
      const mine = side?.paths.find((made) => made === path)
      if (mine === undefined || mine.closed) return
      if (this.#other(index, path) !== undefined) side?.attempts.usable(path)
    }
    this.clock.setTimeout(again, this.weather.delayMs * 2)
  }

  #closed(index: 0 | 1, path: FakePath): void {
    const other = this.#other(index, path)
    // Where nothing gets through, neither does a close.
    if (other === undefined || this.weather.direct === 'never') return
    this.clock.setTimeout(() => other.fail('closed by the other side'), this.weather.delayMs)
  }
}
