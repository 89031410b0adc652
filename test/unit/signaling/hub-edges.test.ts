/** Faults of the hub that its other tests would pass over. */
import { expect, it } from 'vitest'
import { World } from './hub-world.ts'

it('frames keep their order when a large one, which is not gathered, follows small ones', () => {
  const world = new World()
  const [ada, bob] = [world.enter(), world.enter()]
  const large = 'x'.repeat(5_000)
  for (const text of ['1', '2', '3', large, '4']) ada.all(text)
  world.settle()
  expect(bob.texts()).toEqual(['1', '2', '3', large, '4'])
})

it.each(['instance', 'room'] as const)('a token is good with the %s only that it was given for', (what) => {
  const world = new World()
  const ada = world.enter()
  const { token } = ada.last('welcome')
  const thief = world.connect()
  if (what === 'room') thief.sameAs(ada)
  thief.join({ token, room: what === 'room' ? 'another' : 'lobby' })
  expect(thief.last('error')).toMatchObject({ code: 'token-invalid', fatal: true })
  expect(thief.messages('welcome')).toEqual([])
  ada.all('still here')
  expect(ada.uplink.closedWith).toBeUndefined()
})
