import { describe, expect, it } from 'vitest'
import type { JoinOptions, Json, Newcomer } from '../../../web/client/face.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'

const OPEN = { sealing: 'open', paths: ['relay'] } as const
const SEALED = { secret: 'AAECAwQFBgcICQoLDA0ODw', paths: ['relay'] } as const

/** Answers about whoever has such a profile when a test says so. */
function asking(slow: (profile: Json) => boolean = (profile) => String(profile).startsWith('slow')) {
  const answers = new Map<Json, (good: boolean) => void>()
  return {
    answer: (profile: Json, good: boolean) => answers.get(profile)?.(good),
    admit: ({ profile }: Newcomer) =>
      slow(profile) ? new Promise<boolean>((resolve) => answers.set(profile, resolve)) : true,
  }
}

/** What its application sees, in the order in which it does. */
function watch({ room }: SimClient): string[] {
  const seen: string[] = []
  const profileOf = (id: string): Json => room.peers.get(id as never)?.profile ?? 'nobody'
  room.on('join', ({ profile }) => seen.push(`${profile} joins`))
  room.on('leave', ({ peer }) => seen.push(`${peer.profile} leaves`))
  room.channel<string>('chat').on('message', ({ data, from }) => seen.push(`${profileOf(from)}: ${data}`))
  return seen
}

const say = ({ room }: SimClient, text: string) => room.channel<string>('chat').send(text)

describe.each([
  ['an open room', OPEN],
  ['a sealed room', SEALED],
])('in %s, while the application makes up its mind about a newcomer', (_room, mode: JoinOptions) => {
  async function room(seed: number) {
    const world = new SimWorld(seed)
    const { admit, answer } = asking()
    const ada = world.join('lobby', 'ada', { ...mode, profile: 'ada', admit })
    const seen = watch(ada)
    const bob = world.join('lobby', 'bob', { ...mode, profile: 'bob' })
    await world.clock.run(1_000)
    seen.length = 0
    return { world, ada, bob, seen, answer }
  }

  it('others are heard, come, change and leave; what the newcomer says is heard after the answer, once, in order', async () => {
    const { world, ada, bob, seen, answer } = await room(1)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    const hers = watch(eve)
    watch(bob)
    for (let n = 1; n <= 3; n += 1) {
      say(eve, `e${n}`)
      say(bob, `b${n}`)
      await world.clock.run(300)
    }
    const carol = world.join('lobby', 'carol', { ...mode, profile: 'carol' })
    watch(carol)
    await world.clock.run(500)
    say(carol, 'c1')
    const heard = say(ada, 'not for eve')
    await world.clock.run(500)
    void carol.room.leave()
    await world.clock.run(500)
    expect(seen).toEqual(['bob: b1', 'bob: b2', 'bob: b3', 'carol joins', 'carol: c1', 'carol leaves'])
    expect((await heard.delivered).to).toHaveLength(2)
    expect([...ada.room.peers.values()].map(({ profile }) => profile)).toEqual(['bob'])
    seen.length = 0
    answer('slow eve', true)
    await world.clock.run(2_000)
    say(ada, 'for eve')
    say(eve, 'e4')
    await world.clock.run(2_000)
    expect(seen).toEqual(['slow eve joins', ...[1, 2, 3, 4].map((n) => `slow eve: e${n}`)])
    expect(hers.filter((line) => line.startsWith('ada'))).toEqual(['ada joins', 'ada: for eve'])
    expect(ada.room.stats().reconnections).toBe(0)
  })

  it('that is refused, nothing of it is heard, and it hears nothing', async () => {
    const { world, ada, seen, answer } = await room(2)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    const hers = watch(eve)
    say(eve, 'e1')
    await world.clock.run(500)
    answer('slow eve', false)
    await world.clock.run(500)
    say(eve, 'e2')
    say(ada, 'not for eve')
    await world.clock.run(2_000)
    expect(seen).toEqual([])
    expect(hers.filter((line) => line.startsWith('ada:'))).toEqual([])
    expect(ada.room.stats().sealing.refused['not-admitted']).toBe(1)
  })

  it('that leaves and enters again, it is asked about again; only the one that is let in is heard', async () => {
    const { world, seen, answer } = await room(3)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    say(eve, 'gone')
    await world.clock.run(500)
    void eve.room.leave()
    const again = world.join('lobby', 'eve', { ...mode, profile: 'slow again' })
    say(again, 'here')
    await world.clock.run(500)
    answer('slow eve', true)
    await world.clock.run(500)
    expect(seen).toEqual([])
    answer('slow again', true)
    await world.clock.run(3_000)
    expect(seen).toEqual(['slow again joins', 'slow again: here'])
  })

  it('several may ask, and be answered in any order; their profiles are those they have by then', async () => {
    const { world, ada, seen, answer } = await room(4)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    const dan = world.join('lobby', 'dan', { ...mode, profile: 'slow dan' })
    const fay = world.join('lobby', 'fay', { ...mode, profile: 'slow fay' })
    await world.clock.run(500)
    for (const one of [eve, dan, fay]) say(one, 'hello')
    void dan.room.leave()
    void eve.room.setProfile('eve')
    await world.clock.run(500)
    answer('slow fay', true)
    await world.clock.run(100)
    answer('slow dan', true)
    answer('slow eve', true)
    await world.clock.run(3_000)
    expect(seen).toEqual(['slow fay joins', 'slow fay: hello', 'eve joins', 'eve: hello'])
    expect([...ada.room.peers.values()].map(({ profileVerified }) => profileVerified)).toEqual(
      mode === OPEN ? [undefined, undefined, undefined] : [true, true, true],
    )
  })

  it('the uplink may be lost and resumed: it is asked about once, and nothing is lost', async () => {
    const { world, ada, bob, seen, answer } = await room(5)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    say(eve, 'e1')
    await world.clock.run(500)
    ada.network('change')
    for (const pipe of [ada.uplink.up, ada.uplink.down]) pipe.blackhole = true
    await world.clock.run(1_000)
    say(eve, 'e2')
    say(bob, 'b1')
    for (const pipe of [ada.uplink.up, ada.uplink.down]) pipe.blackhole = false
    await world.clock.run(2_000)
    answer('slow eve', true)
    await world.clock.run(5_000)
    expect(seen).toEqual(['bob: b1', 'slow eve joins', 'slow eve: e1', 'slow eve: e2'])
  })

  it('the room may be left: no clock runs, and nothing is told of', async () => {
    const { world, ada, seen, answer } = await room(6)
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    say(eve, 'e1')
    await world.clock.run(500)
    void ada.room.leave()
    await world.clock.run(500)
    answer('slow eve', true)
    await world.clock.run(6_000)
    expect(seen).toEqual([])
    expect(ada.room.stats().sealing.refused).toEqual({})
  })

  it('whose first welcome lists them, others are heard, and `ready` and what was sent before wait for the answer', async () => {
    const world = new SimWorld(7)
    const bob = world.join('lobby', 'bob', { ...mode, profile: 'bob' })
    const eve = world.join('lobby', 'eve', { ...mode, profile: 'slow eve' })
    const theirs = [watch(bob), watch(eve)]
    await world.clock.run(1_000)
    const { admit, answer } = asking()
    const ada = world.join('lobby', 'ada', { ...mode, profile: 'ada', admit })
    const seen = watch(ada)
    void ada.room.ready.then(() => seen.push('ready'))
    say(ada, 'hello')
    await world.clock.run(1_000)
    say(bob, 'b1')
    say(eve, 'e1')
    await world.clock.run(1_000)
    expect(seen).toEqual(['bob joins', 'bob: b1'])
    answer('slow eve', true)
    await world.clock.run(3_000)
    expect(seen).toEqual(['bob joins', 'bob: b1', 'slow eve joins', 'slow eve: e1', 'ready'])
    for (const lines of theirs) expect(lines.filter((line) => line === 'ada: hello')).toHaveLength(1)
  })
})

it('what waits until a newcomer has been looked at is bounded: the room comes back, and knows all that is', async () => {
  let hold: Promise<void> | undefined
  let release = (): void => undefined
  let made = 0
  const world = new SimWorld(1, {
    hub: { messagesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 },
    primitives: (fill) => {
      made += 1
      const primitives = nodePrimitives(fill)
      if (made > 1) return primitives
      return {
        ...primitives,
        hmac: async (...given) => {
          await hold
          return primitives.hmac(...given)
        },
      }
    },
  })
  const ada = world.join('lobby', 'ada', SEALED)
  const bob = world.join('lobby', 'bob', { ...SEALED, profile: 'before' })
  const chatty = world.join('lobby', 'chatty', OPEN)
  await world.clock.run(1_000)
  hold = new Promise((resolve) => {
    release = resolve
  })
  world.join('lobby', 'eve', SEALED)
  await world.clock.run(500)
  for (let change = 1; change <= 9_000; change += 1) {
    chatty.room.setProfile(change).catch(() => undefined)
    if (change % 500 === 0) await world.clock.run(50)
  }
  void bob.room.setProfile('after')
  say(bob, 'last')
  await world.clock.run(5_000)
  release()
  await world.clock.run(10_000)
  expect(ada.room.stats()).toMatchObject({ status: 'online', reconnections: 1 })
  expect([...ada.room.peers.values()].map(({ profile }) => profile)).toEqual(['after', null])
  const heard: string[] = []
  ada.room.channel<string>('chat').on('message', ({ data }) => heard.push(data))
  await world.clock.run(1_000)
  expect(heard).toEqual(['last'])
})

describe.each([
  ['an open room', OPEN],
  ['a sealed room', SEALED],
])('in %s, to members that do not admit the sender', (_room, mode: JoinOptions) => {
  it.each([
    ['at once', () => false],
    ['later', () => Promise.resolve(false)],
    ['without a word', () => Promise.resolve(undefined as unknown as boolean)],
  ])('%s, everything that is sent comes to an end, and it may go on sending', async (_when, admit) => {
    const world = new SimWorld(5)
    world.join('lobby', 'ada', { ...mode, admit })
    await world.clock.run(1_000)
    const bob = world.join('lobby', 'bob', mode)
    await world.clock.run(1_000)
    const missed: string[] = []
    for (let n = 0; n < 6; n += 1) {
      void say(bob, `${n}`).delivered.then((outcome) => missed.push(...outcome.missed.values()))
      await world.clock.run(10_000)
    }
    await world.clock.run(30_000)
    expect(missed).toEqual(Array.from({ length: 6 }, () => 'lagging'))
  })
})
