import { expect, it } from 'vitest'
import { SimWorld } from '../../simulation/sim-world.ts'

it('one who comes back as somebody new hears once what was said to both, the old and the new', async () => {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada')
  const bob = world.join('lobby', 'bob')
  const heard: number[] = []
  bob.room.channel<number>('chat').on('message', ({ data }) => heard.push(data))
  const chat = ada.room.channel<number>('chat')
  await world.clock.run(2_000)
  // Out of the server's reach for so long that its session ends; the direct path goes on.
  for (const pipe of [bob.uplink.up, bob.uplink.down]) pipe.blackhole = true
  await world.clock.run(60_000)
  const before = bob.room.self?.id
  for (const pipe of [bob.uplink.up, bob.uplink.down]) pipe.blackhole = false
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
