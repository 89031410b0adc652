import { describe, expect, it } from 'vitest'
import {
  type FillRandom,
  type InstanceId,
  LIMITS,
  type MemberInfo,
  type PeerId,
} from '../../signaling/protocol/index.ts'
import type { CarrierEvents, OpenCarrier } from '../../web/client/carriers/carrier.ts'
import type { JoinOptions } from '../../web/client/face.ts'
import { type SimClient, SimWorld } from '../simulation/sim-world.ts'
import { nodePrimitives } from '../support/node-primitives.ts'

const madeUp = (n: number): MemberInfo => {
  const id = (n + 1).toString(16).padStart(16, '0') as PeerId
  return { id, instance: id.repeat(2) as InstanceId, profile: n, presence: 'here' }
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

interface Told {
  readonly t: string
  version?: number
  epoch?: string
  members?: readonly MemberInfo[]
}

/** Ada, who is honest, and Bo, to whom the server says whatever the test wants. */
class Lies {
  readonly world: SimWorld
  readonly ada: SimClient
  readonly bo: SimClient
  /** What Bo is told instead. */
  instead: (message: Told) => Told = (message) => message
  /** The version of the room that Bo has been told of. */
  version = 0
  readonly heard: number[] = []
  #events: CarrierEvents | undefined

  /** Without `primitives` the room is open. */
  constructor(options: JoinOptions = {}, primitives?: typeof nodePrimitives) {
    const between = (name: string, open: OpenCarrier): OpenCarrier => (name === 'Bo' ? this.#between(open) : open)
    const isOpen = primitives === undefined
    this.world = new SimWorld(5, isOpen ? { between } : { between, primitives })
    const enter = (name: string, more: JoinOptions): SimClient =>
      this.world.join('room', name, { paths: ['relay'], ...(isOpen && { sealing: 'open' }), ...more })
    this.ada = enter('Ada', {})
    this.bo = enter('Bo', options)
    this.bo.room.channel<number>('chat').on('message', ({ data }) => this.heard.push(data))
  }

  say(message: object): void {
    this.#events?.text(JSON.stringify(message))
  }

  joined(n: number): void {
    this.version += 1
    this.say({ t: 'joined', version: this.version, member: madeUp(n) })
  }

  left(n: number): void {
    this.version += 1
    this.say({ t: 'left', version: this.version, id: madeUp(n).id, reason: 'left' })
  }

  /** Ada says something, and Bo is to hear it. */
  async talk(data: number): Promise<void> {
    const { delivered } = this.ada.room.channel<number>('chat').send(data)
    await this.world.clock.run(3_000)
    expect((await delivered).missed).toEqual(new Map())
  }

  #between(open: OpenCarrier): OpenCarrier {
    return (server, first, events, clock, plain) => {
      this.#events = events
      const text = (said: string): void => {
        const message = this.instead(JSON.parse(said) as Told)
        if (message.version !== undefined && message.t !== 'pong') this.version = message.version
        events.text(JSON.stringify(message))
      }
      const { opened, binary, closed } = events
      return open(server, first, { text, opened, binary, closed }, clock, plain)
    }
  }
}

describe('a server that makes members up', { timeout: 120_000 }, () => {
  it('has no more of them kept than a room can have, by joins without end; what others say goes on', async () => {
    const lies = new Lies()
    const { world, bo } = lies
    await world.clock.run(1_000)
    await lies.talk(1)
    for (let n = 0; n < LIMITS.listedMembers - 1; n += 1) lies.joined(n)
    const most = bo.room.peers.size
    expect([most, bo.room.status]).toEqual([LIMITS.listedMembers, 'online'])
    lies.joined(LIMITS.listedMembers)
    expect([bo.room.peers.size, bo.room.status]).toEqual([most, 'reconnecting'])
    await world.clock.run(3_000)
    expect([bo.room.peers.size, bo.room.status]).toEqual([1, 'online'])
    await lies.talk(2)
    expect(lies.heard).toEqual([1, 2])
  })

  it('ends the room when every list has more of them than a room can have', async () => {
    const lies = new Lies()
    await lies.world.clock.run(1_000)
    lies.instead = (message) =>
      message.t === 'welcome' ? { ...message, members: range(0, LIMITS.listedMembers + 1).map(madeUp) } : message
    lies.world.server.drop(lies.bo.uplink)
    await lies.world.clock.run(60_000)
    expect(lies.bo.room.status).toBe('closed')
    expect(await lies.bo.room.closed).toMatchObject({ code: 'protocol', fatal: true })
  })

  it('has nobody looked at by events that do not count, nor by lists that nobody asked for', async () => {
    const asked: unknown[] = []
    const lies = new Lies({
      admit: ({ profile }) => {
        asked.push(profile)
        return true
      },
    })
    const { world, bo } = lies
    await world.clock.run(1_000)
    for (const n of range(0, 100)) lies.say({ t: 'joined', version: lies.version, member: madeUp(n) })
    lies.say({ t: 'snapshot', re: 4_000, epoch: 'another', version: 9, members: range(100, 200).map(madeUp) })
    await world.clock.run(1_000)
    expect([asked, bo.room.peers.size]).toEqual([[null], 1])
    lies.joined(7)
    await world.clock.run(1_000)
    expect([asked, bo.room.peers.size]).toEqual([[null, 7], 2])
  })

  it('has nothing of those kept that come and go in turn', async () => {
    const lies = new Lies()
    const { world, bo } = lies
    await world.clock.run(1_000)
    for (const n of range(0, 3 * LIMITS.listedMembers)) {
      lies.joined(n)
      lies.left(n)
    }
    expect([bo.room.peers.size, bo.room.status]).toEqual([1, 'online'])
    await lies.talk(1)
    expect(lies.heard).toEqual([1])
  })

  it('has no list kept that waits to be looked at but the newest, however many come meanwhile', async () => {
    let release: () => void = () => undefined
    let gate: Promise<void> | undefined
    const primitives = (fill: FillRandom) => {
      const real = nodePrimitives(fill)
      const sha256 = async (data: Uint8Array): Promise<Uint8Array> => {
        await gate
        return real.sha256(data)
      }
      return { ...real, sha256 }
    }
    const lies = new Lies({}, primitives)
    const { world, bo } = lies
    await world.clock.run(1_000)
    const refused = (): number => bo.room.stats().sealing.refused['seal-mismatch'] ?? 0
    expect([bo.room.peers.size, refused()]).toEqual([1, 0])
    const EACH = 50
    lies.instead = (message) => {
      const [ada] = message.members ?? []
      if (message.t !== 'welcome' || ada === undefined) return message
      // One that takes its time, and others that say nothing of their keys.
      const slow = { ...ada, id: madeUp(5_000 + lies.version).id }
      return { ...message, members: [ada, slow, ...range(0, EACH).map(madeUp)] }
    }
    gate = new Promise((resolve) => {
      release = resolve
    })
    for (let times = 0; times < 6; times += 1) {
      world.server.drop(bo.uplink)
      await world.clock.run(4_000)
    }
    expect(bo.room.stats().reconnections).toBe(6)
    expect(refused()).toBe(0)
    gate = undefined
    release()
    await world.clock.run(5_000)
    // The first, which was being looked at, and the last.
    expect(refused()).toBe(2 * EACH)
    await lies.talk(1)
    expect(lies.heard).toEqual([1])
  })

  it('cannot show a profile larger than any that it may let a member have', async () => {
    const lies = new Lies()
    await lies.world.clock.run(1_000)
    for (const profile of ['x'.repeat(LIMITS.controlBytes), Array(LIMITS.profileValues).fill(0)]) {
      lies.version += 1
      lies.say({ t: 'joined', version: lies.version, member: { ...madeUp(1), profile } })
      expect([lies.bo.room.status, lies.bo.room.peers.size]).toEqual(['reconnecting', 1])
      await lies.world.clock.run(3_000)
    }
    await lies.talk(1)
    expect(lies.heard).toEqual([1])
  })
})
