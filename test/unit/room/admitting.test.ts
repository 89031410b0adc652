import { expect, it } from 'vitest'
import { SimWorld } from '../../simulation/sim-world.ts'

it('while the application makes up its mind, what waits is bounded: the room comes back, and knows all that is', async () => {
  const world = new SimWorld(1, { hub: { messagesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 } })
  const open = { sealing: 'open', paths: ['relay'] } as const
  const ada = world.join('lobby', 'ada', {
    ...open,
    admit: ({ profile }) => (profile === 'slow' ? new Promise<boolean>(() => undefined) : true),
  })
  const bob = world.join('lobby', 'bob', { ...open, profile: 0 })
  await world.clock.run(1_000)
  world.join('lobby', 'eve', { ...open, profile: 'slow' })
  await world.clock.run(500)
  for (let change = 1; change <= 9_000; change += 1) {
    bob.room.setProfile(change).catch(() => undefined)
    if (change % 500 === 0) await world.clock.run(50)
  }
  bob.room.channel<string>('chat').send('last')
  await world.clock.run(10_000)
  expect(ada.room.stats()).toMatchObject({ status: 'online', reconnections: 1 })
  expect([...ada.room.peers.values()].map(({ profile }) => profile)).toEqual([9_000])
  const heard: string[] = []
  ada.room.channel<string>('chat').on('message', ({ data }) => heard.push(data))
  await world.clock.run(1_000)
  expect(heard).toEqual(['last'])
})
