import { describe, expect, it } from 'vitest'
import { DeliveryWorld, outcomeOf } from './delivery-world.ts'
import { FakeOutlet } from './fake-outlet.ts'

/** A member on a direct path that takes no bulk: that goes by turns of two others. */
function crowded() {
  const world = new DeliveryWorld()
  const bob = world.member('bob')
  const beside = [new FakeOutlet(50), new FakeOutlet(51)] as const
  bob.bulkOutletOf = () => (beside[0].takenBytes <= beside[1].takenBytes ? beside[0] : beside[1])
  return { world, bob, beside, inUse: bob.outlet as FakeOutlet }
}

describe('outlets beside the one in use', () => {
  it('carry all of bulk, and nothing else', () => {
    const { world, bob, beside, inUse } = crowded()
    world.sendBytes(new Uint8Array(160_000), 'm:files')
    world.send('small')
    expect(beside.map(({ frames }) => frames.length)).toEqual([5, 5])
    expect(inUse.frames).toHaveLength(1)
    bob.arrive(inUse.take())
    expect(bob.heard).toEqual(['small'])
  })

  it('lose what flew by them, and only that, when one dies', async () => {
    const { world, bob, beside, inUse } = crowded()
    const sent = world.sendBytes(new Uint8Array(160_000), 'm:files')
    const [dead, alive] = beside
    dead.take()
    bob.arrive(alive.take())
    bob.acknowledged()
    bob.bulkOutletOf = () => alive
    bob.sender.loseFlight(dead.tag)
    bob.sender.pump(world.nowMs)
    expect(alive.frames).toHaveLength(5)
    expect(inUse.frames).toEqual([])
    bob.arrive(alive.take())
    bob.acknowledged()
    expect(bob.receiver.repeats).toBe(0)
    expect(await outcomeOf(sent.delivered)).toEqual({ to: ['bob'], missed: new Map() })
  })

  it('may be as late as they like: what came by another first is not taken for a gap', () => {
    const { world, bob, beside } = crowded()
    world.sendBytes(new Uint8Array(400_000), 'm:files')
    const [late, early] = beside
    bob.arrive(early.take())
    bob.acknowledged()
    expect(bob.sender.retransmissions).toBe(0)
    for (let round = 0; round < 3; round += 1) {
      bob.arrive([...late.take(), ...early.take()])
      bob.acknowledged()
    }
    expect(bob.sender.quiet).toBe(true)
    expect(bob.sender.retransmissions).toBe(0)
  })

  it('are left, by what is stuck in one, for another at the first timeout', () => {
    const { world, bob, beside, inUse } = crowded()
    world.sendBytes(new Uint8Array(160_000), 'm:files')
    const [stuck, free] = beside
    stuck.waitingBytes = stuck.takenBytes
    bob.arrive(free.take())
    bob.acknowledged()
    bob.bulkOutletOf = () => free
    bob.pass(1_500)
    expect(free.frames).toHaveLength(5)
    expect(bob.overdue).toContain(stuck.tag)
    expect(inUse.frames).toEqual([])
  })

  it('say when bulk has to wait; small messages never ask', () => {
    const { world, bob, beside, inUse } = crowded()
    for (const outlet of beside) outlet.full = true
    world.sendBytes(new Uint8Array(40_000), 'm:files')
    expect(bob.bulkWaits).toBe(1)
    inUse.full = true
    world.send('small')
    bob.sender.pump(world.nowMs)
    expect(bob.bulkWaits).toBe(3)
    for (const outlet of beside) outlet.full = false
    bob.sender.pump(world.nowMs)
    expect(bob.bulkWaits).toBe(3)
    expect(beside.flatMap(({ frames }) => frames)).toHaveLength(3)
  })

  it('are not asked for while the relay is in use', () => {
    const world = new DeliveryWorld()
    const bob = world.member('bob', 'relay')
    bob.bulkOutletOf = () => {
      throw new Error('asked')
    }
    world.sendBytes(new Uint8Array(40_000), 'm:files', bob)
    bob.settle()
    expect(bob.heard).toHaveLength(1)
  })
})
