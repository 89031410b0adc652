import { describe, expect, it } from 'vitest'
import { SimWorld } from './sim-world.ts'

interface Line {
  readonly n: number
}

function collect(client: ReturnType<SimWorld['join']>, channel = 'chat'): number[] {
  const seen: number[] = []
  client.room.channel<{ n: number }>(channel).on('message', ({ data }) => seen.push((data as Line).n))
  return seen
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('two members in a room', () => {
  it('talk at once: what was sent before the welcome arrives', async () => {
    const world = new SimWorld(1)
    const ada = world.join('lobby', 'ada')
    await world.clock.run(500)
    const heard = collect(ada)
    const bob = world.join('lobby', 'bob')
    const sent = bob.room.channel('chat').send({ n: 0 })
    await world.clock.run(300)
    expect(heard).toEqual([0])
    expect(await sent.delivered).toEqual({ to: [ada.room.self?.id], missed: new Map() })
  })

  it('go over to a direct path and lose nothing on the way', async () => {
    const world = new SimWorld(2)
    const ada = world.join('lobby', 'ada')
    const bob = world.join('lobby', 'bob')
    const heard = collect(bob)
    const channel = ada.room.channel<{ n: number }>('chat')
    await world.clock.run(200)
    for (const n of upTo(200)) {
      channel.send({ n })
      await world.clock.run(10)
    }
    await world.clock.run(500)
    expect(heard).toEqual(upTo(200))
    expect([...ada.room.peers.values()].map(({ path }) => path)).toEqual(['direct'])
  })

  it('lose nothing when the direct path dies in silence, and the longest gap is short', async () => {
    const world = new SimWorld(3, { delayMs: () => 25 })
    const ada = world.join('lobby', 'ada', {}, 25)
    const bob = world.join('lobby', 'bob', {}, 25)
    const at: number[] = []
    const heard: number[] = []
    bob.room.channel<{ n: number }>('chat').on('message', ({ data }) => {
      heard.push(data.n)
      at.push(world.clock.now())
    })
    const channel = ada.room.channel<{ n: number }>('chat')
    await world.clock.run(3_000)
    for (const n of upTo(200)) {
      channel.send({ n })
      await world.clock.run(20)
      if (n === 60) for (const pipe of world.paths.conditions('ada', 'bob').from.values()) pipe.blackhole = true
    }
    await world.clock.run(2_000)
    expect(heard).toEqual(upTo(200))
    const gaps = at.slice(1).map((time, index) => time - (at[index] as number))
    expect(Math.max(...gaps)).toBeLessThan(500)
    expect([...ada.room.peers.values()].map(({ path }) => path)).toEqual(['relay'])
  })

  it('lose nothing when the server is killed and started again', async () => {
    const world = new SimWorld(4)
    const ada = world.join('lobby', 'ada', { paths: ['relay'] })
    const bob = world.join('lobby', 'bob', { paths: ['relay'] })
    const heard = collect(bob)
    const channel = ada.room.channel<{ n: number }>('chat')
    await world.clock.run(500)
    for (const n of upTo(1_000)) {
      channel.send({ n })
      await world.clock.run(5)
      if (n === 300) world.server.kill()
      if (n === 500) world.server.start()
    }
    await world.clock.run(15_000)
    expect(heard).toEqual(upTo(1_000))
  })

  it('send messages of several megabytes beside small ones', async () => {
    const world = new SimWorld(5)
    const ada = world.join('lobby', 'ada')
    const bob = world.join('lobby', 'bob')
    const heard = collect(bob)
    const sizes: number[] = []
    bob.room.channel<Uint8Array>('files').on('message', ({ data }) => sizes.push(data.length))
    await world.clock.run(300)
    const big = ada.room.channel<Uint8Array>('files').send(new Uint8Array(5_000_000).fill(3))
    for (const n of upTo(50)) {
      ada.room.channel<{ n: number }>('chat').send({ n })
      await world.clock.run(10)
    }
    await world.clock.run(5_000)
    expect(heard).toEqual(upTo(50))
    expect(sizes).toEqual([5_000_000])
    expect((await big.delivered).missed.size).toBe(0)
  })

  it('send large messages over a slow way by several paths, of which one may die, and small ones as ever', async () => {
    const world = new SimWorld(7, { delayMs: () => 25 })
    const ada = world.join('lobby', 'ada')
    const bob = world.join('lobby', 'bob')
    await world.clock.run(2_000)
    for (const pipe of world.paths.conditions('ada', 'bob').from.values()) pipe.bytesPerSecond = 200_000
    const heard: { readonly n: number; readonly sentAtMs: number; readonly atMs: number }[] = []
    bob.room.channel<{ n: number; sentAtMs: number }>('chat').on('message', ({ data }) => {
      heard.push({ ...data, atMs: world.clock.now() })
    })
    const sizes: number[] = []
    bob.room.channel<Uint8Array>('files').on('message', ({ data }) => sizes.push(data.length))
    const files = upTo(3).map(() => ada.room.channel<Uint8Array>('files').send(new Uint8Array(4_000_000)))
    const most: number[] = []
    for (const n of upTo(400)) {
      ada.room.channel('chat').send({ n, sentAtMs: world.clock.now() })
      await world.clock.run(50)
      most.push(world.paths.open('ada', 'bob').length)
      if (n === 100) world.paths.open('ada', 'bob').at(-1)?.mute()
    }
    // One path would have taken a minute.
    expect(sizes).toEqual([4_000_000, 4_000_000, 4_000_000])
    expect(Math.max(...most)).toBe(7)
    expect(heard.map(({ n }) => n)).toEqual(upTo(400))
    expect(Math.max(...heard.map(({ sentAtMs, atMs }) => atMs - sentAtMs))).toBeLessThan(100)
    for (const { delivered } of files) expect((await delivered).missed.size).toBe(0)
    await world.clock.run(25_000)
    expect(world.paths.open('ada', 'bob')).toHaveLength(1)
  })

  it('are quiet when nothing is said, and leave no timers when they leave', async () => {
    const world = new SimWorld(6)
    const ada = world.join('lobby', 'ada')
    const bob = world.join('lobby', 'bob')
    await world.clock.run(5_000)
    void ada.room.leave()
    void bob.room.leave()
    await world.clock.run(60_000)
    expect(ada.room.status).toBe('closed')
    expect(world.clock.pending).toBe(0)
  })
})
