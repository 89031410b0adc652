import { afterEach, describe, expect, test } from 'vitest'
import type { HubOptions } from '../../signaling/limits/hub-options.ts'
import type { EngineName } from '../../signaling/net/network.ts'
import { type InstanceId, randomHex } from '../../signaling/protocol/index.ts'
import { serverAddress } from '../../web/client/carriers/server-address.ts'
import { openWebSocket } from '../../web/client/carriers/websocket.ts'
import { systemClock } from '../../web/client/clock.ts'
import { RoomClock } from '../../web/client/room-clock.ts'
import { browserNetworkEvents } from '../../web/client/uplink/network-events.ts'
import { Uplink, type UplinkEvents, type Welcome } from '../../web/client/uplink/uplink.ts'
import { CountedTime } from '../support/lateness.ts'
import { LiveHub, Wire } from './live-hub.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end()
})

const fill = (bytes: Uint8Array): void => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)

interface Client {
  readonly uplink: Uplink
  readonly roomClock: RoomClock
  /** Every welcome so far. */
  readonly welcomes: UplinkEvents['welcome'][]
  /** Resolves with the next one. */
  next<Name extends keyof UplinkEvents>(
    name: Name,
    matches?: (value: UplinkEvents[Name]) => boolean,
  ): Promise<UplinkEvents[Name]>
}

function client(port: number, instance = randomHex(16, fill), joinKey = randomHex(16, fill)): Client {
  const roomClock = new RoomClock(systemClock, 0)
  const uplink = new Uplink({
    server: serverAddress(`ws://127.0.0.1:${port}/base`),
    room: 'lobby',
    profile: { name: 'Ada' },
    instance: instance as InstanceId,
    joinKey,
    open: openWebSocket,
    clock: systemClock,
    roomClock,
    random: Math.random,
    network: browserNetworkEvents,
  })
  const welcomes: UplinkEvents['welcome'][] = []
  uplink.on('welcome', (welcome) => welcomes.push(welcome))
  cleanUp.push(() => uplink.close())
  return {
    uplink,
    roomClock,
    welcomes,
    next: (name, matches = () => true) =>
      new Promise((resolve) => {
        const off = uplink.on(name, (value) => {
          if (!matches(value)) return
          off()
          resolve(value)
        })
      }),
  }
}

async function hub(engine: EngineName, options?: Partial<HubOptions>): Promise<LiveHub> {
  const live = await LiveHub.start(engine, options)
  cleanUp.push(() => live.kill())
  return live
}

/** The way to a server, whatever port it has after a restart. */
async function wireTo(live: LiveHub): Promise<Wire> {
  const wire = await Wire.to(() => live.port)
  cleanUp.push(() => wire.close())
  return wire
}

async function online(joining: Client): Promise<Welcome> {
  const welcome = joining.next('welcome')
  joining.uplink.start()
  return (await welcome).message
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe.each<EngineName>(['uws', 'ws'])('an uplink to the server on %s', (engine) => {
  test('joins, exchanges frames, and leaves', async () => {
    const { port } = await hub(engine)
    const ada = client(port)
    const bob = client(port)
    const joiningMs = performance.now()
    const { peerId } = await online(ada)
    const tookMs = performance.now() - joiningMs
    // The two clocks are one: what they seem to differ by is at most what the answer took, which is mostly some ms.
    expect(Math.abs(ada.roomClock.now() - Date.now())).toBeLessThan(Math.max(50, tookMs))
    const joined = ada.next('message')
    const welcome = await online(bob)
    expect(welcome.members).toMatchObject([{ id: peerId, profile: { name: 'Ada' }, presence: 'here' }])
    expect(await joined).toMatchObject({ t: 'joined', member: { id: welcome.peerId } })

    const frame = bob.next('frame')
    ada.uplink.send({ kind: 'one', id: welcome.peerId }, bytes(1, 2, 3))
    expect(await frame).toEqual({ from: peerId, payload: bytes(1, 2, 3), slot: undefined })

    const changed = ada.next('message')
    await bob.uplink.setProfile({ name: 'Bob' })
    expect(await changed).toMatchObject({ t: 'changed', profile: { name: 'Bob' } })

    const left = ada.next('message')
    await bob.uplink.leave()
    expect(await left).toMatchObject({ t: 'left', id: welcome.peerId, reason: 'left' })
    expect(bob.uplink.state).toBe('closed')
  })

  test('resumes as the same member after the server was killed and started again with its key', async () => {
    const live = await hub(engine)
    const { port } = await wireTo(live)
    const ada = client(port)
    const bob = client(port)
    const first = await online(ada)
    const bobs = await online(bob)
    await live.kill()
    const set = ada.uplink.setProfile({ name: 'Ada, back' })
    const again = ada.next('welcome')
    const bobAgain = bob.next('welcome')
    await live.start()
    const { how, message } = await again
    expect(how).toBe('resumed')
    expect(message).toMatchObject({ peerId: first.peerId, resumed: true })
    expect(message.epoch).not.toBe(first.epoch)
    await set
    await bobAgain
    const frame = bob.next('frame')
    ada.uplink.send({ kind: 'one', id: bobs.peerId }, bytes(9))
    expect((await frame).from).toBe(first.peerId)
    expect(ada.uplink.reconnections).toBe(1)
  })

  test('comes back as told when the server restarts in good order', async () => {
    const live = await hub(engine)
    const { port } = await wireTo(live)
    const ada = client(port)
    const first = await online(ada)
    const again = ada.next('welcome')
    await live.restart()
    expect(await again).toMatchObject({ how: 'resumed', message: { peerId: first.peerId } })
  })

  test('rejoins as a new member when the server has another key', async () => {
    const live = await hub(engine)
    const { port } = await wireTo(live)
    const ada = client(port)
    const first = await online(ada)
    await live.kill()
    live.forgetKey()
    const again = ada.next('welcome')
    await live.start()
    const { how, message } = await again
    expect(how).toBe('rejoined')
    expect(message.peerId).not.toBe(first.peerId)
  })

  test('rejoins as a new member when its grace is over', async () => {
    const live = await hub(engine, { graceMs: 50 })
    const wire = await wireTo(live)
    const ada = client(wire.port)
    const bob = client(live.port)
    await online(bob)
    const first = await online(ada)
    const expired = bob.next('message', ({ t }) => t === 'left')
    await wire.close()
    expect(await expired).toMatchObject({ id: first.peerId, reason: 'expired' })
    const back = await Wire.to(() => live.port, wire.port)
    cleanUp.push(() => back.close())
    const welcome = ada.next('welcome')
    expect((await welcome).how).toBe('rejoined')
  })

  test('is replaced by a newer connection of its session, and does not fight it', async () => {
    const { port } = await hub(engine)
    const ada = client(port, '1'.repeat(32), '2'.repeat(32))
    const first = await online(ada)
    const closed = ada.next('closed')
    const twin = client(port, '1'.repeat(32), '2'.repeat(32))
    expect((await online(twin)).peerId).toBe(first.peerId)
    expect(await closed).toMatchObject({ code: 'replaced', fatal: true })
    expect(ada.uplink.state).toBe('closed')
    expect(twin.uplink.state).toBe('online')
  })

  test('ends when it is removed, or when the room is full', async () => {
    const live = await hub(engine, { membersPerRoom: 1 })
    const ada = client(live.port)
    const { peerId } = await online(ada)
    const late = client(live.port)
    const refused = late.next('closed')
    late.uplink.start()
    expect(await refused).toMatchObject({ code: 'room-full', fatal: true })
    expect((await refused)?.retryAfterMs).toBeGreaterThan(0)
    const closed = ada.next('closed')
    live.hub.remove('lobby', peerId)
    expect(await closed).toMatchObject({ code: 'removed' })
  })

  test('leaves a half-open connection as soon as a probe goes unanswered', async () => {
    const live = await hub(engine)
    const wire = await wireTo(live)
    const ada = client(wire.port)
    const first = await online(ada)
    wire.freeze()
    // Client and server are both in this process.
    const time = new CountedTime()
    cleanUp.push(() => time.stop())
    const again = ada.next('welcome')
    ada.uplink.probe()
    expect(await again).toMatchObject({ how: 'resumed', message: { peerId: first.peerId } })
    expect(time.passedMs).toBeLessThan(3_000)
  })

  test('keeps to the pace: 12 MB through a limit of 4 MiB/s arrive whole and in order', async () => {
    // The reader shares this process's event loop with everyone: it may be slow, which is not what is tested.
    const { port } = await hub(engine, { slowReaderBytes: 16_777_216 })
    const ada = client(port)
    const bob = client(port)
    await online(ada)
    const { peerId } = await online(bob)
    const count = 750
    const numbers: number[] = []
    const done = bob.next('frame', ({ payload }) => {
      numbers.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0))
      return numbers.length === count
    })
    const dropped: unknown[] = []
    ada.uplink.on('message', (message) => message.t === 'dropped' && dropped.push(message))
    let number = 0
    const more = (): void => {
      for (; number < count; number += 1) {
        const frame = new Uint8Array(16_384)
        new DataView(frame.buffer).setUint32(0, number)
        if (!ada.uplink.send({ kind: 'one', id: peerId }, frame)) return
      }
    }
    ada.uplink.on('writable', more)
    const sinceMs = performance.now()
    more()
    await done
    const seconds = (performance.now() - sinceMs) / 1_000
    console.log(`${engine}: ${((count * 16_384) / 1e6 / seconds).toFixed(1)} MB/s through the relay`)
    expect(dropped).toEqual([])
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index))
    expect(ada.uplink.queuedBytes()).toBe(0)
  })

  test('a server that is not there is waited for', async () => {
    const live = await hub(engine)
    const { port } = await wireTo(live)
    await live.kill()
    const ada = client(port)
    const waiting = ada.next('state', (state) => state === 'waiting')
    const welcome = ada.next('welcome')
    ada.uplink.start()
    await waiting
    await live.start()
    expect((await welcome).how).toBe('joined')
  })

  test('an orderly end is seen by the others at once, also when it comes right after the join', async () => {
    const { port } = await hub(engine)
    const ada = client(port)
    await online(ada)
    const brief = client(port)
    const left = ada.next('message', ({ t }) => t === 'left')
    const joining = brief.next('state', (state) => state === 'joining')
    brief.uplink.start()
    await joining
    brief.uplink.close()
    expect(await left).toMatchObject({ reason: 'left' })
  })
})
