import { expect, it } from 'vitest'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'

/** Out of the server's reach for so long that its session ends; a direct path goes on. */
async function away(world: SimWorld, { uplink }: SimClient): Promise<void> {
  for (const pipe of [uplink.up, uplink.down]) pipe.blackhole = true
  await world.clock.run(60_000)
  for (const pipe of [uplink.up, uplink.down]) pipe.blackhole = false
}

it('one who comes back as somebody new is told that there may be a gap', async () => {
  const world = new SimWorld(1)
  world.join('lobby', 'ada')
  const bob = world.join('lobby', 'bob')
  const gaps: string[] = []
  bob.room.on('gap', ({ reason }) => gaps.push(reason))
  await world.clock.run(2_000)
  await away(world, bob)
  await world.clock.run(30_000)
  expect(gaps).toEqual(['expired'])
})

it('one who comes back as somebody new hears once what was said to both, the old and the new', async () => {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada')
  const bob = world.join('lobby', 'bob')
  const heard: number[] = []
  bob.room.channel<number>('chat').on('message', ({ data }) => heard.push(data))
  const chat = ada.room.channel<number>('chat')
  await world.clock.run(2_000)
  const before = bob.room.self?.id
  await away(world, bob)
  bob.uplink.down.delayMs = 1_000
  // Ada hears of the new member a second before bob does.
  for (let n = 0; n < 400; n += 1) {
    chat.send(n)
    await world.clock.run(50)
  }
  await world.clock.run(30_000)
  expect(bob.room.self?.id).not.toBe(before)
  expect(heard).toEqual(Array.from({ length: 400 }, (_, n) => n))
})
