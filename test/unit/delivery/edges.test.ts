/** Where a fault in the streams would show late, or only now and then, in a simulation. */
import { describe, expect, it } from 'vitest'
import { decodeAck, decodePiece, type InstanceId, LIMITS } from '../../../signaling/protocol/index.ts'
import { IncomingStream } from '../../../web/client/delivery/incoming-stream.ts'
import { LinkReceiver } from '../../../web/client/delivery/link-receiver.ts'
import { DeliveryWorld, outcomeOf } from './delivery-world.ts'
import { FakeOutlet } from './fake-outlet.ts'

const upTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

describe('an incoming stream', () => {
  it('tells new from repeated for many windows of frames that come in pairs the wrong way round', () => {
    const start = 2 ** 32 - 5_000
    const stream = new IncomingStream(start)
    for (let count = 0; count < 3 * LIMITS.windowFrames; count += 2) {
      const [first, second] = [(start + count) >>> 0, (start + count + 1) >>> 0]
      expect([stream.look(second), stream.look(first)]).toEqual(['new', 'new'])
      stream.take(second)
      expect([stream.look(second), stream.look(first)]).toEqual(['repeat', 'new'])
      stream.take(first)
    }
    expect(stream.next).toBe((start + 3 * LIMITS.windowFrames) >>> 0)
    expect([...stream.bitmap()]).toEqual([])
  })
})

describe('a message', () => {
  it('of more than 16 KiB goes in pieces on the bulk lane, one of 16 KiB whole on the small one', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const streams = (bytes: number, to?: typeof bob): number[] => {
      world.sendBytes(new Uint8Array(bytes), 'm:files', to)
      return (bob.outlet?.take() ?? []).map((frame) => decodePiece(frame).stream)
    }
    expect(streams(16_384)).toEqual([0])
    expect(streams(16_385)).toEqual([1, 1])
    expect(streams(16_384, bob)).toEqual([2])
    expect(streams(16_385, bob)).toEqual([3, 3])
  })

  it('that a path does not take is neither in flight nor lost: it goes when there is room', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    const outlet = bob.outlet as FakeOutlet
    outlet.full = true
    for (const text of upTo(3)) world.send(text)
    expect(bob.sender.flyingBytes).toBe(0)
    outlet.full = false
    bob.sender.pump(world.nowMs)
    expect(outlet.frames.length).toBe(3)
    bob.settle()
    expect(bob.heard).toEqual(upTo(3))
    expect(bob.sender.retransmissions).toBe(0)
  })

  it('under way by an old path is not taken for lost because of what overtook it on another', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.send('by the old path')
    const late = bob.outlet?.take() ?? []
    const direct = new FakeOutlet(77, 'direct')
    bob.sender.setOutlet(direct)
    for (const text of upTo(10)) world.send(text)
    bob.arrive(direct.take())
    bob.acknowledged()
    bob.sender.pump(world.nowMs)
    expect(direct.frames.length).toBe(0)
    bob.arrive(late)
    bob.acknowledged()
    expect(bob.heard).toEqual(['by the old path', ...upTo(10)])
    expect(bob.sender.retransmissions).toBe(0)
  })
})

describe('a member that was cut off', () => {
  it('is sent nothing by the relay, either, until it has confirmed the new greeting', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    bob.sender.abandon('lagging')
    bob.sender.held = true
    bob.greet(2)
    world.send('later')
    world.send('to bob alone', { to: bob })
    expect(bob.outlet?.frames).toEqual([])
    bob.sender.held = false
    world.outbox.flush()
    bob.settle()
    expect(bob.heard.sort()).toEqual(['later', 'to bob alone'])
  })
})

describe('what the old receiver of a member that was cut off says', () => {
  it('is not believed, though a broadcast to the others reached it', async () => {
    const world = new DeliveryWorld()
    const [bob, eve] = [world.member('bob', 'relay'), world.member('eve', 'relay')]
    bob.sender.abandon('lagging')
    bob.sender.held = true
    const old = bob.receiver
    const fresh = bob.greet(2)
    bob.receiver = old
    const sent = world.send('for all')
    const frames = eve.outlet?.take() ?? []
    eve.arrive(frames)
    eve.acknowledged()
    bob.arrive(frames)
    bob.acknowledged(bob.ack(true))
    expect(await outcomeOf(sent.delivered)).toBe('pending')
    bob.receiver = fresh
    bob.sender.held = false
    world.outbox.flush()
    bob.settle()
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob', 'eve'], missed: new Map() })
  })
})

describe('a signal of the link', () => {
  it('goes at once though its member has more of ours than is accepted for anything else', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    bob.sender.peerWindowBytes = 64 * 1_048_576
    for (let bytes = 0; bytes <= LIMITS.unacknowledgedBytes; bytes += 16_000) {
      world.sendBytes(new Uint8Array(16_000), 'm:files', bob)
    }
    expect(world.outbox.waiting.bytes).toBeGreaterThan(0)
    bob.outlet?.take()
    world.signal('{}', bob)
    expect(bob.outlet?.take().length).toBe(1)
  })
})

describe('what was held for a message', () => {
  it('is given back once, though its handler ends the link', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.send('the end')
    const receiver: LinkReceiver = new LinkReceiver(
      {
        generation: 1,
        known: 0,
        afterCut: false,
        instance: 'f'.repeat(32) as InstanceId,
        delayMs: 20,
        uplinkRttMs: 0,
        starts: [0, 0, 0, 0],
        channels: [],
      },
      world.budget,
      {
        message: () => {
          receiver.close()
          return true
        },
      },
    )
    for (const frame of bob.outlet?.take() ?? []) receiver.take(decodePiece(frame), world.nowMs)
    expect(world.budget.heldBytes).toBe(0)
  })
})

describe('what lies before the beginning that the greeting tells', () => {
  it('is not kept: it takes no room, and is not said to be unread', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob')
    world.send('before')
    // Its frame is still to come, its channel begins behind it: the greeting of one who was away says so.
    bob.greet(2)
    bob.arrive(bob.outlet?.take() ?? [])
    world.send('after')
    bob.settle()
    expect(bob.heard).toEqual(['after'])
    expect(world.budget.heldBytes).toBe(0)
    expect(decodeAck(bob.ack(true)).unread).toEqual([])
  })
})
