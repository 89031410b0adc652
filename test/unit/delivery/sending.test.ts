import { describe, expect, it } from 'vitest'
import { decodePiece } from '../../../signaling/protocol/index.ts'
import { DeliveryWorld, outcomeOf } from './delivery-world.ts'
import { FakeOutlet } from './fake-outlet.ts'

const upTo = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => String(from + index))
const without = <T>(items: readonly T[], ...gone: readonly number[]): T[] =>
  items.filter((_, index) => !gone.includes(index))

describe('a message', () => {
  it('is handed on once, and delivered resolves when its acknowledgement comes', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const sent = world.send('hello')
    expect(await outcomeOf(sent.accepted)).toBeUndefined()
    bob.arrive(bob.outlet?.take() ?? [])
    expect(bob.heard).toEqual(['hello'])
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.acknowledged()
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
    expect(world.retainedBytes).toBe(0)
    expect(bob.sender.quiet).toBe(true)
  })

  it('that arrives by two ways is handed on once, and its repeat is acknowledged again', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.send('hello')
    const frames = bob.outlet?.take() ?? []
    expect(bob.arrive([...frames, ...frames])).toEqual(['taken', 'repeat'])
    expect(bob.heard).toEqual(['hello'])
    bob.ack()
    bob.arrive(frames)
    expect(bob.ack().length).toBeGreaterThan(9)
  })

  it.each([
    ['far from the wrap', 7],
    ['where sequence numbers wrap', 2 ** 32 - 100],
    ['one before the wrap', 2 ** 32 - 1],
  ])('arrives in order whatever the order of its frames, %s', (_name, firstSeq) => {
    const world = new DeliveryWorld({ firstSeq })
    const bob = world.member('bob')
    for (const text of upTo(300)) world.send(text)
    const frames = bob.outlet?.take() ?? []
    bob.arrive([...frames].reverse())
    expect(bob.heard).toEqual(upTo(300))
    bob.acknowledged()
    expect(bob.sender.quiet).toBe(true)
    for (const text of upTo(300, 300)) world.send(text)
    bob.settle()
    expect(bob.heard).toEqual(upTo(600))
  })

  it.each([0xfff0, 2 ** 32 - 16])('keeps its place where ordinals wrap (%i)', async (ordinal) => {
    const world = new DeliveryWorld()
    const channel = world.outbox.openChannel('m:chat')
    channel.roomOrdinal = ordinal
    const bob = world.member('bob')
    const sent = upTo(64).map((text) => world.send(text))
    const frames = bob.outlet?.take() ?? []
    bob.arrive([...frames.slice(0, 3), ...frames.slice(10), ...frames.slice(3, 10)])
    expect(bob.heard).toEqual(upTo(64))
    bob.acknowledged()
    for (const { delivered } of sent) expect(await outcomeOf(delivered)).not.toBe('pending')
  })

  it('in pieces is put together in whatever order they come, and holds back only its own channel', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.sendBytes(new Uint8Array(100_000).fill(65), 'm:files')
    world.send('after it', { channel: 'm:files' })
    world.send('beside it')
    const frames = bob.outlet?.take() ?? []
    const pieces = frames.filter((frame) => decodePiece(frame).stream === 1)
    bob.arrive(without(frames, ...pieces.map((piece) => frames.indexOf(piece))))
    expect(bob.heard).toEqual(['beside it'])
    bob.arrive(pieces.reverse())
    expect(bob.heard).toEqual(['beside it', 'A'.repeat(20), 'after it'])
    bob.acknowledged()
    expect(world.budget.heldBytes).toBe(0)
    expect(bob.sender.quiet).toBe(true)
  })

  it('is not delivered before the application has taken it, and the sender asks when it is not told', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    bob.reads = false
    const sent = world.send('hello')
    bob.settle()
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.reads = true
    bob.receiver.drain('m:chat')
    bob.ack()
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.pass(2_000)
    expect(bob.asked).toBeGreaterThan(0)
    bob.acknowledged(bob.ack(true))
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('that was sent to nobody is delivered to nobody, at once', async () => {
    const world = new DeliveryWorld()
    expect(await outcomeOf(world.send('hello').delivered)).toEqual({ to: [], missed: new Map() })
  })

  it('given up while it waits is told so, and those after it are not held back by its place', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    // More of it is unsent than may be, so what comes next waits.
    world.sendBytes(new Uint8Array(1_000_000), 'm:files')
    const given = world.sendBytes(new Uint8Array(500_000), 'm:files')
    const after = world.send('after', { channel: 'm:files' })
    expect(await outcomeOf(given.accepted)).toBe('pending')
    expect(world.outbox.waiting.abort(given)).toBe(true)
    expect(world.outbox.waiting.abort(given)).toBe(false)
    expect(world.outbox.waiting.bytes).toBe(5)
    bob.settle()
    expect(bob.heard.at(-1)).toBe('after')
    expect(await outcomeOf(given.accepted)).toEqual({ rejected: 'aborted' })
    expect(await outcomeOf(after.delivered)).toEqual({ to: ['bob'], missed: new Map() })
    expect(world.outbox.waiting.none).toBe(true)
    expect(world.outbox.waiting.bytes).toBe(0)
  })
})

describe('a frame that was lost', () => {
  it('is sent again once three later ones have arrived, without waiting for a timeout', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    for (const text of upTo(5)) world.send(text)
    const frames = bob.outlet?.take() ?? []
    bob.arrive([frames[0], frames[2], frames[3]].filter((frame) => frame !== undefined))
    bob.acknowledged()
    expect(bob.outlet?.take()).toEqual([])
    bob.arrive(frames.slice(4))
    bob.acknowledged()
    expect(bob.outlet?.take()).toEqual([frames[1]])
    expect(bob.sender.retransmissions).toBe(1)
  })

  it('at the end of the stream is sent again after its timeout, which doubles', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    world.send('first')
    world.nowMs += 50
    bob.settle()
    world.send('last')
    bob.outlet?.take()
    const at: number[] = []
    const startMs = world.nowMs
    for (let step = 0; step < 200; step += 1) {
      bob.pass(10)
      if ((bob.outlet?.take() ?? []).length > 0) at.push(world.nowMs - startMs)
    }
    const gaps = at.map((time, index) => time - (at[index - 1] ?? 0))
    expect(gaps[0]).toBeLessThan(400)
    expect(gaps.length).toBeGreaterThan(2)
    for (const [index, gap] of gaps.slice(1).entries())
      expect(gap).toBeGreaterThanOrEqual(1.8 * (gaps[index] as number))
    expect(bob.relayLosses.every(Boolean)).toBe(true)
  })

  it('takes with it those that were lost before it was sent again: they follow at once', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    for (const text of upTo(50)) world.send(text)
    bob.outlet?.take()
    bob.pass(1_000)
    bob.settle()
    expect(bob.heard).toEqual(upTo(50))
  })

  it('on one stream is sent again though another stream is busy', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    world.send('warm', { to: bob })
    bob.settle()
    world.send('lost')
    bob.outlet?.take()
    for (let round = 0; round < 200 && bob.heard.length < 300; round += 1) {
      world.send(`busy ${round}`, { to: bob, channel: 'm:busy' })
      bob.pass(10)
      bob.settle()
      if (bob.heard.includes('lost')) return
    }
    throw new Error('never sent again')
  })

  it('on one stream is sent again though the receiver refuses the head of another', () => {
    const world = new DeliveryWorld({ receiveBytes: 1_000 })
    const bob = world.member('bob', 'relay')
    bob.reads = false
    for (const text of upTo(40)) world.send(text.padEnd(40))
    bob.settle()
    for (let round = 0; round < 20; round += 1) {
      bob.pass(10)
      bob.settle()
    }
    bob.reads = true
    world.send('lost', { to: bob, channel: 'm:other' })
    bob.outlet?.take()
    bob.reads = true
    for (let round = 0; round < 300 && !bob.heard.includes('lost'); round += 1) {
      bob.pass(10)
      // Nothing drains the first channel: its frames stay refused.
      bob.settle()
    }
    expect(bob.heard).toContain('lost')
  })

  it('on an old path is sent again though all goes well on the new one', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    world.send('warm')
    bob.settle()
    world.send('lost')
    bob.outlet?.take()
    const direct = new FakeOutlet(77, 'direct')
    bob.sender.setOutlet(direct)
    for (let round = 0; round < 300; round += 1) {
      world.send(round)
      bob.pass(10)
      bob.arrive(direct.take())
      bob.acknowledged()
      if (bob.heard.includes('lost')) {
        expect(round).toBeLessThan(150)
        return
      }
    }
    throw new Error('never sent again')
  })

  it('goes out again when the window is full of others that were lost as well', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    const outlet = bob.outlet as FakeOutlet
    outlet.windowBytes = 32_768
    world.sendBytes(new Uint8Array(400_000), 'm:files')
    const frames = outlet.take()
    expect(frames.length).toBe(1)
    bob.arrive(frames)
    bob.acknowledged()
    outlet.windowBytes = 131_072
    bob.sender.pump(world.nowMs)
    world.outbox.flush()
    const lost = outlet.take()
    // The first and the last are gone, and the window has shrunk meanwhile.
    bob.arrive(lost.slice(1, 5))
    outlet.windowBytes = 32_768
    bob.acknowledged()
    for (let round = 0; round < 100 && bob.heard.length === 0; round += 1) {
      bob.settle()
      bob.pass(100)
    }
    expect(bob.heard.length).toBe(1)
  })

  it('by a path that closed goes by the next one', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    for (const text of upTo(10)) world.send(text)
    const frames = bob.outlet?.take() ?? []
    bob.arrive(frames.slice(0, 4))
    const relay = new FakeOutlet(9, 'relay')
    bob.sender.setOutlet(relay)
    bob.sender.loseFlight(1)
    bob.sender.pump(world.nowMs)
    bob.arrive(relay.take())
    expect(bob.heard).toEqual(upTo(10))
  })
})

describe('a small frame that is overdue on a direct path', () => {
  it('is hedged once by the relay, and the path is reported; bulk is not', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    bob.relay = new FakeOutlet(5, 'relay')
    world.send('warm')
    bob.settle()
    world.send('small')
    world.sendBytes(new Uint8Array(20_000), 'm:files')
    bob.outlet?.take()
    bob.pass(300)
    expect(bob.overdue[0]).toBe(1)
    expect(bob.relay.frames.length).toBe(1)
    bob.pass(3_000)
    expect(bob.relay.frames.length).toBe(1)
    bob.arrive(bob.relay.take())
    expect(bob.heard).toEqual(['warm', 'small'])
  })

  it('and has not left this side is not hedged: its timeout runs from when it leaves, and the path is pinged', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const outlet = bob.outlet as FakeOutlet
    bob.relay = new FakeOutlet(5, 'relay')
    world.send('warm')
    bob.settle()
    for (const text of upTo(10)) world.send(text)
    outlet.waitingBytes = outlet.frames.slice(1).reduce((bytes, { length }) => bytes + length, 0)
    bob.arrive(outlet.frames.splice(0, 1))
    bob.acknowledged()
    bob.pass(1_000)
    expect(bob.relay.frames).toEqual([])
    expect(bob.overdue.length).toBeGreaterThan(1)
    outlet.waitingBytes = 0
    const known = bob.overdue.length
    bob.pass(600)
    expect(bob.relay.frames.length).toBe(1)
    expect(bob.overdue.length).toBeGreaterThan(known)
    expect(bob.sender.retransmissions).toBeLessThan(3)
  })

  it('gives no round-trip time when it is acknowledged', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    bob.relay = new FakeOutlet(5, 'relay')
    world.send('warm')
    world.nowMs += 30
    bob.settle()
    const before = bob.outlet?.roundTrip.smoothedMs
    world.send('small')
    bob.pass(400)
    bob.arrive(bob.relay.take())
    bob.acknowledged()
    expect(bob.outlet?.roundTrip.smoothedMs).toBe(before)
  })

  it('is timed by small frames, whatever bulk waits in its own buffer', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.sendBytes(new Uint8Array(100_000), 'm:files')
    world.nowMs += 3_000
    bob.settle()
    world.send('small')
    world.nowMs += 20
    bob.settle()
    expect(bob.outlet?.roundTrip.smoothedMs).toBe(20)
  })
})
