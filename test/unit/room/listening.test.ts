import { expect, it } from 'vitest'
import { SimWorld } from '../../simulation/sim-world.ts'
import { outcomeOf } from '../delivery/delivery-world.ts'

it('what came before the first listener is handed on to it, though nothing follows', async () => {
  const world = new SimWorld(1)
  const ada = world.join('lobby', 'ada')
  const bob = world.join('lobby', 'bob')
  await world.clock.run(1_000)
  const sent = ada.room.channel<number>('chat').send(7)
  await world.clock.run(1_000)
  expect(await outcomeOf(sent.delivered)).toBe('pending')
  const heard: number[] = []
  bob.room.channel<number>('chat').on('message', ({ data }) => heard.push(data))
  await world.clock.run(1_000)
  expect(heard).toEqual([7])
  expect(await outcomeOf(sent.delivered)).toEqual({ to: [bob.room.self?.id], missed: new Map() })
})
