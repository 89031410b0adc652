import { describe, expect, it } from 'vitest'
import type { IceServer, LinkMessage, PeerSignal } from '../../../signaling/protocol/index.ts'
import type { DirectPath } from '../../../web/client/paths/path.ts'
import { PathsBeside } from '../../../web/client/paths/paths-beside.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakePath } from './fake-path.ts'
import { pass } from './one-side.ts'

const SERVERS: readonly IceServer[] = [
  { urls: ['stun:turn.example:3478'] },
  { urls: ['turn:turn.example:3478'], username: 'u', credential: 'c' },
]
const LONG_MS = 50

interface SideOptions {
  readonly initiator?: boolean
  readonly slots?: SlotPool
}

/** One side, with a path in use that carries what its test says. */
class Side {
  readonly clock: FakeClock
  readonly slots: SlotPool
  readonly made: FakePath[] = []
  readonly said: LinkMessage[] = []
  readonly opened: DirectPath[] = []
  readonly closed: DirectPath[] = []
  readonly retired: DirectPath[] = []
  readonly beside: PathsBeside
  readonly main: FakePath
  asked = 0
  /** Whether a path in use is. */
  direct = true
  carry: (message: LinkMessage) => void = () => {}

  constructor({ initiator = true, slots = new SlotPool(24) }: SideOptions = {}, clock = new FakeClock()) {
    this.clock = clock
    this.slots = slots
    const events = {
      opened: (path: DirectPath) => this.opened.push(path),
      closed: (path: DirectPath) => this.closed.push(path),
      frame: () => {},
      writable: () => {},
      kindChanged: () => {},
    }
    const said = (message: LinkMessage): void => {
      this.said.push(message)
      this.carry(message)
    }
    const common = { initiator, iceServers: [], iceTransportPolicy: 'all', clock, events, turn: false } as const
    this.main = new FakePath({ ...common, attempt: 1, initiator: false, say: () => {} })
    this.beside = new PathsBeside({
      initiator,
      connect: (options) => {
        const path = new FakePath(options)
        this.made.push(path)
        return path
      },
      clock,
      direct: () => this.direct,
      slots: this.slots,
      events,
      retire: (path) => this.retired.push(path),
      say: said,
      iceServers: async () => {
        this.asked += 1
        return SERVERS
      },
    })
  }

  get live(): FakePath[] {
    return this.made.filter(({ closed }) => !closed)
  }

  /** Bulk waits for so long, at so many bytes a millisecond over all that carry it. */
  async wait(ms: number, rate: number, rttMs = LONG_MS): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 100) {
      this.beside.waiting(this.main, rttMs)
      if (passed === ms) return
      this.main.bytes.written += rate * 100
      await pass(this.clock, 100)
    }
  }

  async openAll(): Promise<void> {
    await this.wait(500, 200)
    await pass(this.clock, 1)
    for (const path of this.live) path.open()
  }
}

const beside = (signal: PeerSignal): LinkMessage => ({ t: 'beside', signal })
const offer = (attempt: number): PeerSignal => ({ t: 'offer', attempt, turn: false, sdp: 'offer' })

describe('peer connections beside the path in use', () => {
  it('are opened when bulk has waited for a path that is slow and long', async () => {
    const side = new Side()
    await side.wait(400, 200)
    expect(side.made).toEqual([])
    await side.wait(500, 200)
    await pass(side.clock, 1)
    expect(side.made.map(({ attempt }) => attempt)).toEqual([1, 3, 5, 7, 9, 11])
    expect(side.said.map((message) => (message.t === 'beside' ? message.signal.t : message.t))).toEqual(
      Array(6).fill('offer'),
    )
    expect(side.asked).toBe(1)
  })

  it.each([
    ['quick', 5_000, LONG_MS],
    ['short', 200, 5],
  ])('are not opened where the path is %s', async (_what, rate, rttMs) => {
    const side = new Side()
    await side.wait(5_000, rate, rttMs)
    expect(side.made).toEqual([])
  })

  it('are not opened for what waits now and then', async () => {
    const side = new Side()
    for (let times = 0; times < 5; times += 1) {
      await side.wait(300, 200)
      await pass(side.clock, 3_000)
    }
    expect(side.made).toEqual([])
  })

  it('gather without TURN, and take no candidates through it', async () => {
    const side = new Side()
    await side.openAll()
    const [path] = side.made
    expect(path?.options.iceServers).toEqual([{ urls: ['stun:turn.example:3478'] }])
    const candidate = (text: string): PeerSignal => ({
      t: 'candidate',
      attempt: 1,
      candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 },
    })
    side.beside.receive(candidate('candidate:1 1 udp 1 192.0.2.1 5 typ relay'))
    for (let count = 0; count < 70; count += 1)
      side.beside.receive(candidate('candidate:1 1 udp 1 192.0.2.1 5 typ host'))
    await pass(side.clock, 1)
    expect(path?.candidates).toEqual(Array(64).fill('candidate:1 1 udp 1 192.0.2.1 5 typ host'))
  })

  it('meet: the other side answers, whatever it thinks of its own bulk', async () => {
    const clock = new FakeClock()
    const ada = new Side({ initiator: true }, clock)
    const bob = new Side({ initiator: false }, clock)
    for (const [from, to] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      from.carry = (message) => message.t === 'beside' && to.beside.receive(message.signal)
    }
    await bob.wait(500, 200)
    await pass(clock, 50)
    expect(bob.made.map(({ attempt }) => attempt)).toEqual([2, 4, 6, 8, 10, 12])
    expect(ada.made.map(({ attempt, options }) => [attempt, options.initiator])).toEqual(
      bob.made.map(({ attempt }) => [attempt, false]),
    )
    expect(bob.made.map(({ accepted }) => accepted.map(({ t }) => t))).toEqual(Array(6).fill(['answer']))
  })

  it('are not made for offers with a number of ours, an old one, or too many', async () => {
    const side = new Side()
    for (const attempt of [3, 4, 2, 4]) side.beside.receive(offer(attempt))
    for (let attempt = 6; attempt < 60; attempt += 2) side.beside.receive(offer(attempt))
    await pass(side.clock, 1)
    expect(side.made.map(({ attempt }) => attempt)).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26])
  })

  it('are not made again and again for one who offers and closes: that would keep the page busy', async () => {
    const side = new Side({ initiator: false })
    let attempt = 1
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 100; count += 1, attempt += 2) {
        side.beside.receive(offer(attempt))
        await pass(side.clock, 1)
        for (const path of side.live) path.close()
      }
    }
    await flood()
    expect(side.made.length).toBeLessThanOrEqual(13)
    await pass(side.clock, 10_000)
    await flood()
    expect(side.made.length).toBeGreaterThan(20)
    expect(side.made.length).toBeLessThanOrEqual(26)
  })

  it('are at most so many in a room', async () => {
    const slots = new SlotPool(8)
    const clock = new FakeClock()
    const [one, two] = [new Side({ slots }, clock), new Side({ slots }, clock)]
    await one.openAll()
    await two.openAll()
    expect([one.live.length, two.live.length]).toEqual([6, 2])
    one.beside.close()
    expect(slots.used).toBe(2)
  })

  it('are refused while no direct path is in use: addresses are not told for them', async () => {
    const side = new Side()
    side.direct = false
    side.beside.receive(offer(2))
    await pass(side.clock, 1)
    expect(side.made).toEqual([])
  })

  it('are given up when they do not open, and told of only when they had', async () => {
    const side = new Side()
    await side.wait(500, 200)
    await pass(side.clock, 1)
    side.made[0]?.open()
    await side.wait(9_000, 2_000)
    expect(side.live).toHaveLength(6)
    await side.wait(1_100, 2_000)
    expect(side.live).toEqual([side.made[0]])
    side.made[0]?.fail()
    expect([side.opened, side.closed]).toEqual([[side.made[0]], [side.made[0]]])
  })

  it('stay when they are worth it, and are not judged again', async () => {
    const side = new Side()
    await side.openAll()
    await side.wait(4_500, 900)
    await side.wait(8_000, 100)
    expect(side.live).toHaveLength(6)
  })

  it('are closed when they bring little, and not tried again for a minute', async () => {
    const side = new Side()
    await side.openAll()
    await side.wait(4_500, 250)
    expect(side.retired).toEqual(side.live)
    expect(side.retired).toHaveLength(6)
    await side.wait(2_000, 200)
    expect(side.live).toEqual([])
    await side.wait(48_000, 200)
    expect(side.live).toEqual([])
    await side.wait(12_000, 200)
    await pass(side.clock, 1)
    expect(side.live).toHaveLength(6)
  })

  it('are closed when bulk has rested, but not while the other side sends some', async () => {
    const side = new Side()
    await side.openAll()
    const [path] = side.made
    for (let second = 0; second < 40; second += 1) {
      path?.options.events.frame(path, 'bulk', new Uint8Array(3))
      await pass(side.clock, 1_000)
    }
    expect(side.live).toHaveLength(6)
    path?.options.events.frame(path, 'control', new Uint8Array(3))
    await pass(side.clock, 20_000)
    expect(side.live).toEqual([])
    expect(side.slots.used).toBe(0)
  })

  it('leave nothing behind at the end, not even what is about to be made', async () => {
    const side = new Side()
    await side.wait(500, 200)
    side.beside.stop()
    side.beside.receive(offer(2))
    await pass(side.clock, 1)
    expect(side.made).toEqual([])
    expect(side.clock.pending()).toBe(0)
  })
})

describe('what is said about them', () => {
  it('says which connection it is about', async () => {
    const side = new Side({ initiator: false })
    await side.openAll()
    expect(side.said[0]).toEqual(beside({ t: 'offer', attempt: 2, turn: false, sdp: 'offer 2' }))
  })
})
