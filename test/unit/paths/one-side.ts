import type { IceServer, LinkMessage } from '../../../signaling/protocol/index.ts'
import { Attempts } from '../../../web/client/paths/attempts.ts'
import type { AttemptsOptions } from '../../../web/client/paths/attempts-options.ts'
import type { DirectPath } from '../../../web/client/paths/path.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakePath, type FakePathHooks } from './fake-path.ts'

export const STUN_AND_TURN: readonly IceServer[] = [
  { urls: ['stun:stun.test:3478', 'turn:turn.test:3478', 'turns:turn.test:443'], username: 'u', credential: 'c' },
]
export const ANY_PATH = { direct: true, turn: true, iceTransportPolicy: 'all' } as const

/** Lets promises settle, without letting time pass. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

/** Time passes in small steps, so that promises settle in between. */
export async function pass(clock: FakeClock, ms: number, stepMs = 10): Promise<void> {
  await settle()
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(Math.min(stepMs, ms - passed))
    await settle()
  }
}

/** One side of a link, with everything it says and makes on record. */
export class OneSide {
  readonly said: LinkMessage[] = []
  readonly paths: FakePath[] = []
  readonly log: string[] = []
  inUse: DirectPath | undefined
  readonly attempts: Attempts

  constructor(
    options: Partial<AttemptsOptions> & Pick<AttemptsOptions, 'initiator'>,
    readonly clock = new FakeClock(),
    hooks: FakePathHooks = {},
  ) {
    this.attempts = new Attempts({
      connect: (connect) => {
        const path = new FakePath(connect, hooks)
        this.paths.push(path)
        return path
      },
      slots: new SlotPool(16),
      clock,
      random: () => 0.5,
      policy: ANY_PATH,
      say: (message) => this.said.push(message),
      iceServers: () => Promise.resolve(STUN_AND_TURN),
      ...options,
      events: {
        opened: (path) => this.log.push(`opened ${path.attempt}`),
        closed: (path, reason) => this.log.push(`closed ${path.attempt}: ${reason}`),
        path: (path) => {
          this.inUse = path
          this.log.push(`path ${path?.attempt ?? 'none'}`)
        },
        frame: () => {},
        writable: () => {},
        kindChanged: (path) => this.log.push(`kind ${path.attempt} ${path.kind}`),
        changed: () => {},
        ...options.events,
      },
    })
  }

  get state(): string {
    return this.attempts.state
  }

  /** The newest path. */
  get path(): FakePath {
    const path = this.paths.at(-1)
    if (path === undefined) throw new Error('no attempt was made')
    return path
  }

  /** What was said, candidates aside, as `offer 1`. */
  get words(): string[] {
    return this.said.flatMap((message) => {
      if (message.t === 'candidate') return []
      if ('attempt' in message) return [`${message.t} ${message.attempt}`]
      return [message.t === 'ask' ? `ask ${message.replaces}` : message.t]
    })
  }

  pass(ms: number): Promise<void> {
    return pass(this.clock, ms)
  }

  receive(...messages: LinkMessage[]): void {
    for (const message of messages) this.attempts.receive(message)
  }

  /** The newest attempt opens and its ping is answered. */
  async become(kind: 'direct' | 'turn' = 'direct'): Promise<void> {
    this.path.open(kind)
    this.attempts.usable(this.path)
    await settle()
  }
}
