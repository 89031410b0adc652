import { describe, expect, it } from 'vitest'
import { decodePiece, LIMITS } from '../../../signaling/protocol/index.ts'
import type { OutgoingMessage } from '../../../web/client/delivery/outgoing-message.ts'
import { DeliveryWorld, outcomeOf } from './delivery-world.ts'
import { FakeOutlet } from './fake-outlet.ts'

const MEGABYTE = new Uint8Array(1_000_000)

function codeOf(action: () => unknown): string {
  try {
    action()
    return 'nothing'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a message to everyone', () => {
  it('goes to those who are here when it is accepted; who comes later waits for nothing', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const early = world.send('early')
    const eve = world.member('eve')
    const late = world.send('late')
    bob.settle()
    eve.settle()
    expect([bob.heard, eve.heard]).toEqual([['early', 'late'], ['late']])
    expect(await outcomeOf(early.delivered)).toEqual({ to: ['bob'], missed: new Map() })
    expect(await outcomeOf(late.delivered)).toEqual({ to: ['bob', 'eve'], missed: new Map() })
  })

  it('is one uplink frame for all who are on the relay', () => {
    const world = new DeliveryWorld()
    const members = ['a', 'b', 'c'].map((id) => world.member(id, 'relay'))
    world.send('hello')
    expect(world.broadcasts).toEqual([['a', 'b', 'c']])
    for (const member of members) member.settle()
    expect(members.map(({ heard }) => heard)).toEqual([['hello'], ['hello'], ['hello']])
  })

  it('is kept until the slowest has it, and given to one alone when only that one lost it', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    const eve = world.member('eve', 'relay')
    const sent = world.send('hello')
    bob.settle()
    eve.outlet?.take()
    expect(world.retainedBytes).toBeGreaterThan(0)
    world.nowMs += 2_000
    eve.sender.check(world.nowMs)
    eve.settle()
    expect(bob.outlet?.frames).toEqual([])
    expect(eve.heard).toEqual(['hello'])
    expect(world.retainedBytes).toBe(0)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob', 'eve'], missed: new Map() })
  })

  it('says who left before they had it', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const eve = world.member('eve')
    const sent = world.send('hello')
    bob.settle()
    eve.sender.abandon('left')
    world.outbox.remove(eve.id)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob', 'eve'], missed: new Map([['eve', 'left']]) })
    expect(world.retainedBytes).toBe(0)
  })

  it('is taken as come when it also reached one who was thought to be away', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const eve = world.member('eve')
    eve.sender.setOutlet(undefined)
    const messages = ['one', 'two', 'three'].map((text) => world.send(text))
    const frames = bob.outlet?.take() ?? []
    eve.arrive(frames)
    eve.sender.setOutlet(eve.outlet)
    eve.acknowledged()
    eve.sender.pump(world.nowMs)
    expect(eve.outlet?.take()).toEqual([])
    bob.arrive(frames)
    bob.acknowledged()
    for (const { delivered } of messages) {
      expect(await outcomeOf(delivered)).toEqual({ to: ['bob', 'eve'], missed: new Map() })
    }
  })
})

describe('a member that is far behind', () => {
  it('holds nobody back, and is cut off once it is 8 MiB behind the others', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const eve = world.member('eve')
    eve.sender.setOutlet(undefined)
    for (let count = 0; count < 12 && world.cut.length === 0; count += 1) {
      world.sendBytes(MEGABYTE)
      bob.settle()
    }
    expect(world.cut).toContain('eve')
    expect(bob.heard.length).toBeGreaterThan(8)
    expect(eve.sender.cursor(1).lagBytes).toBeGreaterThan(LIMITS.lagBytes)
    eve.sender.abandon('lagging')
    world.outbox.trim()
    expect(world.retainedBytes).toBe(0)
  })

  it('hears from where it was cut on, under its new greeting, and nothing from before', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const lost = ['a', 'b'].map((text) => world.send(text))
    const old = bob.outlet?.take() ?? []
    bob.sender.abandon('lagging')
    for (const { delivered } of lost) {
      expect(await outcomeOf(delivered)).toEqual({ to: ['bob'], missed: new Map([['bob', 'lagging']]) })
    }
    bob.greet(2)
    expect(bob.arrive(old)).toEqual(['repeat', 'repeat'])
    const sent = world.send('c')
    bob.settle()
    expect(bob.heard).toEqual(['c'])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('is sent nothing, and believed nothing, until it has confirmed the new greeting', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.send('a')
    bob.outlet?.take()
    bob.sender.abandon('lagging')
    bob.sender.held = true
    const old = bob.receiver
    const fresh = bob.greet(2)
    bob.receiver = old
    const sent = world.send('b')
    const direct = world.send('to bob alone', { to: bob })
    bob.pass(5_000)
    expect(bob.outlet?.take()).toEqual([])
    // What its old receiver says is of no account.
    bob.acknowledged(bob.ack(true))
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.receiver = fresh
    bob.sender.held = false
    bob.sender.pump(world.nowMs)
    bob.settle()
    expect(bob.heard.sort()).toEqual(['b', 'to bob alone'])
    expect(await outcomeOf(direct.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('is sent no more than its window, and the rest when the window opens', () => {
    const world = new DeliveryWorld({ receiveBytes: 500_000 })
    const bob = world.member('bob')
    bob.reads = false
    for (let count = 0; count < 100; count += 1) world.sendBytes(new Uint8Array(10_000).fill(66))
    for (let round = 0; round < 50; round += 1) {
      bob.settle()
      bob.pass(100)
    }
    expect(world.budget.heldBytes).toBeLessThan(520_000)
    expect(bob.heard).toEqual([])
    bob.reads = true
    bob.receiver.drain('m:chat')
    for (let round = 0; round < 50 && bob.heard.length < 100; round += 1) {
      bob.acknowledged()
      bob.settle()
    }
    expect(bob.heard.length).toBe(100)
    expect(world.budget.heldBytes).toBe(0)
  })
})

describe('a window', () => {
  it('is never more frames than an acknowledgement can tell of', () => {
    const world = new DeliveryWorld({ firstSeq: 2 ** 32 - 10 })
    const bob = world.member('bob')
    for (let count = 0; count < LIMITS.windowFrames + 100; count += 1) world.send('x')
    const frames = bob.outlet?.take() ?? []
    expect(frames.length).toBe(LIMITS.windowFrames)
    bob.arrive(frames.slice(1))
    bob.acknowledged()
    // All but the first have come: it alone holds back the rest.
    expect(bob.outlet?.take()).toEqual(frames.slice(0, 1))
    bob.arrive(frames.slice(0, 1))
    bob.acknowledged()
    expect(bob.outlet?.take().length).toBe(100)
  })

  it('is what the receiver has room for, but one frame always goes', () => {
    const world = new DeliveryWorld({ receiveBytes: 62_500 })
    const bob = world.member('bob')
    bob.acknowledged(bob.ack(true))
    for (let count = 0; count < 20; count += 1) world.sendBytes(new Uint8Array(10_000))
    expect(bob.outlet?.take().length).toBe(4)
    world.budget.share().add(50_000)
    const shut = world.member('eve')
    shut.acknowledged(shut.ack(true))
    for (let count = 0; count < 3; count += 1) world.sendBytes(new Uint8Array(10_000), 'm:x', shut)
    expect(shut.outlet?.take().length).toBe(1)
  })

  it('that opens again is used at once, from the frame that was refused on', () => {
    const world = new DeliveryWorld({ receiveBytes: 25_000 })
    const bob = world.member('bob')
    bob.reads = false
    for (let count = 0; count < 6; count += 1) world.sendBytes(new Uint8Array(10_000).fill(67))
    const results = bob.arrive(bob.outlet?.take() ?? [])
    expect(results).toContain('refused')
    bob.acknowledged()
    bob.reads = true
    bob.receiver.drain('m:chat')
    bob.acknowledged()
    bob.settle()
    expect(bob.heard.length).toBe(6)
  })
})

describe('what waits before the window', () => {
  const fill = (world: DeliveryWorld, channel = 'm:files'): OutgoingMessage[] => {
    const waiting: OutgoingMessage[] = []
    for (;;) {
      try {
        waiting.push(world.sendBytes(MEGABYTE, channel))
      } catch {
        return waiting
      }
    }
  }

  it('is bounded: then send throws queue-full, and goes on when there is room', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const messages = fill(world)
    expect(messages.length).toBeGreaterThan(16)
    expect(world.outbox.waiting.bytes).toBeLessThanOrEqual(LIMITS.queuedBytes)
    expect(await outcomeOf((messages.at(-1) as OutgoingMessage).accepted)).toBe('pending')
    expect(codeOf(() => world.sendBytes(MEGABYTE))).toBe('queue-full')
    bob.settle()
    expect(world.outbox.waiting.none).toBe(true)
    expect(bob.heard.length).toBe(messages.length)
    for (const { delivered } of messages) expect(await outcomeOf(delivered)).not.toBe('pending')
  })

  it('is accepted only when its path is about to take it, and all of it goes as fast as that does', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const outlet = bob.outlet as FakeOutlet
    outlet.full = true
    const sent = Array.from({ length: 2_000 }, () => world.sendBytes(new Uint8Array(1_000)))
    expect(bob.sender.cursor(0).lagBytes).toBeLessThan(300_000)
    expect(await outcomeOf((sent[100] as OutgoingMessage).accepted)).toBe(undefined)
    expect(await outcomeOf((sent[400] as OutgoingMessage).accepted)).toBe('pending')
    bob.sender.peerWindowBytes = 16_777_216
    outlet.full = false
    world.outbox.writable(bob.sender)
    expect(outlet.frames.length).toBe(2_000)
    expect(await outcomeOf((sent[1_999] as OutgoingMessage).accepted)).toBe(undefined)
  })

  it('counts messages too, so that empty ones are bounded', () => {
    const world = new DeliveryWorld()
    world.member('bob').sender.setOutlet(undefined)
    let count = 0
    const send = (): unknown => world.sendBytes(new Uint8Array(16_384))
    while (codeOf(send) === 'nothing' && count < 1_000) count += 1
    const empty = (): unknown => world.sendBytes(new Uint8Array(0))
    while (codeOf(empty) === 'nothing' && count < 50_000) count += 1
    expect(count).toBeLessThan(11_500)
  })

  it('of bulk does not hold back small messages of other channels', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    fill(world)
    world.send('small')
    const [frame] = (bob.outlet?.take() ?? []).filter((bytes) => decodePiece(bytes).stream === 0)
    expect(frame).toBeDefined()
  })

  it('for one member holds back neither the room nor other members', () => {
    const world = new DeliveryWorld()
    const eve = world.member('eve')
    const bob = world.member('bob')
    eve.sender.setOutlet(undefined)
    for (let count = 0; count < 300; count += 1) world.sendBytes(new Uint8Array(16_000), 'm:x', eve)
    for (let count = 0; count < 100; count += 1) world.sendBytes(new Uint8Array(16_000), 'm:x', eve)
    world.send('to all')
    world.send('to bob', { to: bob })
    bob.settle()
    expect(bob.heard.sort()).toEqual(['to all', 'to bob'])
  })

  it('never includes signals of the link, which go ahead of everything', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    fill(world)
    bob.outlet?.take()
    world.signal('{}', bob)
    expect(bob.outlet?.take().length).toBe(1)
  })

  it('is told of with left when its member goes, and with closed when the room does', async () => {
    const world = new DeliveryWorld()
    const eve = world.member('eve')
    eve.sender.setOutlet(undefined)
    const direct = Array.from({ length: 400 }, () => world.sendBytes(new Uint8Array(16_000), 'm:x', eve)).at(-1)
    const room = fill(world).at(-1) as OutgoingMessage
    expect(await outcomeOf((direct as OutgoingMessage).accepted)).toBe('pending')
    eve.sender.abandon('left')
    world.outbox.remove(eve.id)
    expect(await outcomeOf((direct as OutgoingMessage).delivered)).toEqual({
      to: ['eve'],
      missed: new Map([['eve', 'left']]),
    })
    // Nobody is left to hear the others.
    expect(await outcomeOf(room.delivered)).toEqual({ to: [], missed: new Map() })
    world.member('bob')
    const last = fill(world).at(-1) as OutgoingMessage
    world.outbox.close()
    expect(await outcomeOf(last.accepted)).toEqual({ rejected: 'closed' })
    expect(codeOf(() => world.send('x'))).toBe('closed')
  })

  it('has its place counted from when it was sent, for those who come before it is accepted', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const messages = fill(world)
    const eve = world.member('eve')
    const waiting = messages.length - bob.sender.cursor(1).stream.messageCount
    expect(waiting).toBeGreaterThan(0)
    for (let round = 0; round < 200; round += 1) {
      bob.settle()
      eve.settle()
    }
    expect(bob.heard.length).toBe(messages.length)
    expect(eve.heard.length).toBe(waiting)
  })
})

describe('a message to one member', () => {
  it('is heard by that one alone, beside what it hears of the room', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const eve = world.member('eve')
    const sent = world.send('psst', { to: bob })
    world.send('all')
    bob.settle()
    eve.settle()
    expect([bob.heard, eve.heard]).toEqual([['psst', 'all'], ['all']])
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('who is not here is missed as left, at once', async () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.outbox.remove(bob.id)
    const sent = world.send('psst', { to: bob })
    expect(await outcomeOf(sent.accepted)).toBeUndefined()
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map([['bob', 'left']]) })
  })
})

it('a signal on a direct path goes by the relay too', () => {
  const world = new DeliveryWorld()
  const bob = world.member('bob')

  bob.relay = new FakeOutlet(5, 'relay')
  world.signal('{}', bob)
  world.send('not this')
  expect([bob.outlet?.frames.length, bob.relay.frames.length]).toEqual([2, 1])
})
