import { expect, it } from 'vitest'
import { SimWorld } from '../../simulation/sim-world.ts'

it('a page that goes away closes its direct paths, so that the others need not wait for their silence', async () => {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada')
  const bob = world.join('lobby', 'bob')
  await world.clock.run(3_000)
  const pathOf = (): string | undefined => [...bob.room.peers.values()][0]?.path
  expect(pathOf()).toBe('direct')
  ada.network('hide')
  await world.clock.run(100)
  expect(pathOf()).toBe('relay')
})
