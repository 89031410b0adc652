import { describe, expect, it } from 'vitest'
import type { Handed, Shown } from './malicious-server.ts'
import { Stage } from './stage.ts'

const flipped = (payload: Uint8Array, at: number): Uint8Array => {
  const copy = payload.slice()
  copy[at] = (copy[at] ?? 0) ^ 0x81
  return copy
}

/** Messages and values small and large, to the room and to one, of which Bob is at first handed nothing, or everything. */
async function seenBy(drops: boolean) {
  const stage = new Stage()
  const { ada, bob } = await stage.two()
  ada.say(0)
  await stage.run(500)
  const times = new Map<string, number>()
  let dropping = drops
  stage.server.handed = (client, frame) => {
    if (client !== 'bob') return [frame]
    const { payload } = frame
    // Data, of one or more frames: acks, greetings and keys are all shorter.
    const isData = payload[0] === 2 || payload.length > 100
    if (!isData) return [frame]
    const bytes = Buffer.from(payload).toString('base64')
    times.set(bytes, (times.get(bytes) ?? 0) + 1)
    return dropping ? [] : [frame]
  }
  const chat = ada.room.channel<object>('chat')
  const to = bob.id
  for (const [n, length] of [1, 100, 60_000].entries()) {
    chat.send({ n, pad: 'x'.repeat(length) })
    chat.send({ n: n + 10, pad: 'x'.repeat(length + 200) }, { to })
  }
  ada.room.latest<string>('positions').set('x')
  await stage.run(3_000)
  dropping = false
  await stage.run(10_000)
  const records = [...times].map(([bytes, count]) => ({ bytes: Buffer.from(bytes, 'base64').length, times: count }))
  return { heard: bob.heard, records: records.sort((one, other) => one.bytes - other.bytes) }
}

describe('a server that tampers with records', () => {
  it('has none opened whose bytes it altered, whatever the place', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    let altered = 0
    const before = bob.room.stats().sealing.opened
    const longest = 80
    for (let at = 0; at < longest; at += 1) {
      stage.server.handed = (client, frame) => {
        if (client !== 'bob' || at >= frame.payload.length) return [frame]
        altered += 1
        return [{ ...frame, payload: flipped(frame.payload, at) }, frame]
      }
      ada.say(at)
      await stage.run(200)
    }
    expect(bob.heard).toEqual(Array.from({ length: longest }, (_, n) => `ada ${n}`))
    expect(altered).toBeGreaterThan(longest / 2)
    const { refused, opened } = bob.room.stats().sealing
    expect(opened).toBeGreaterThan(before)
    expect(refused.forged).toBeGreaterThan(0)
    expect(refused.unsealed).toBeGreaterThan(0)
    expect(new Set(bob.refused)).toEqual(new Set(['forged', 'unsealed']))
  })

  it('has nothing delivered twice, and nothing old', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    for (let n = 0; n < 10; n += 1) {
      ada.say(n)
      await stage.run(100)
    }
    for (const frame of stage.server.recordsOf('bob')) stage.server.hand('bob', frame)
    await stage.run(1_000)
    for (const frame of [...stage.server.recordsOf('bob')].reverse()) stage.server.hand('bob', frame)
    await stage.run(1_000)
    ada.say(10)
    await stage.run(500)
    expect(bob.heard).toEqual(Array.from({ length: 11 }, (_, n) => `ada ${n}`))
    expect(bob.refused).toContain('replayed')
  })

  it('only delays what it drops', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    let passing = 0
    stage.server.handed = (_client, frame) => {
      passing += 1
      return passing % 3 === 0 ? [] : [frame]
    }
    for (let n = 0; n < 30; n += 1) {
      ada.say(n)
      await stage.run(20)
    }
    await stage.run(20_000)
    expect(bob.heard).toEqual(Array.from({ length: 30 }, (_, n) => `ada ${n}`))
  })

  it('sees what it drops come again in the same bytes, sealed once', async () => {
    const [clear, lossy] = [await seenBy(false), await seenBy(true)]
    expect(lossy.heard.toSorted()).toEqual(clear.heard.toSorted())
    // As many records as without a loss, of the same sizes: each that came again is one that had come before.
    expect(lossy.records.map(({ bytes }) => bytes)).toEqual(clear.records.map(({ bytes }) => bytes))
    expect(lossy.records.every(({ times }) => times > 1)).toBe(true)
    expect(lossy.records).toHaveLength(13)
  })

  it.each([
    { what: 'everything', hears: [] },
    { what: 'what is for the room', hears: ['gap lagging'] },
  ])('that drops $what for good is seen by missing words, and nothing else', async ({ what, hears }) => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    const events: string[] = []
    for (const { room } of [ada, bob]) {
      for (const name of ['leave', 'change', 'status', 'missed', 'refused'] as const)
        room.on(name, () => events.push(name))
    }
    ada.room.on('gap', ({ reason }) => events.push(`ada gap ${reason}`))
    bob.room.on('gap', ({ reason }) => events.push(`gap ${reason}`))
    stage.server.handed = (client, frame) =>
      client === 'bob' && (what === 'everything' || frame.payload[0] === 2) ? [] : [frame]
    const { delivered } = ada.room.channel<object>('chat').send({ n: 1 })
    const outcome = delivered.then(({ to, missed }) => ({ to, missed: [...missed] }))
    await stage.run(120_000)
    expect(await outcome).toEqual({ to: [bob.id], missed: [[bob.id, 'lagging']] })
    expect(bob.heard).toEqual([])
    expect(events).toEqual(hears)
    expect([ada, bob].map(({ room }) => room.status)).toEqual(['online', 'online'])
    expect([...ada.room.peers.values()].map(({ presence, path }) => [presence, path])).toEqual([['here', 'relay']])
    stage.server.handed = (_client, frame) => [frame]
    ada.say(2)
    await stage.run(10_000)
    expect(bob.heard).toEqual(['ada 2'])
    expect(events).toEqual(['gap lagging'])
  })

  it('cannot name another sender, hand it to another, or send it back', async () => {
    const stage = new Stage()
    const { ada, bob, carol } = await stage.three()
    const id = (name: string) => stage.server.who(name).id
    const said: [string, Handed][] = []
    stage.server.handed = (client, frame) => {
      said.push([client, frame])
      return [frame]
    }
    ada.say(1)
    bob.say(2)
    await stage.run(500)
    for (const person of stage.people) person.refused.length = 0
    for (const [, { from, payload }] of said.slice()) {
      for (const client of ['ada', 'bob', 'carol']) {
        for (const sender of ['ada', 'bob', 'carol']) {
          if (id(sender) !== from || id(client) === from) stage.server.hand(client, { from: id(sender), payload })
        }
      }
    }
    await stage.run(1_000)
    expect(ada.heard).toEqual(['bob 2'])
    expect(bob.heard).toEqual(['ada 1'])
    expect(carol.heard.sort()).toEqual(['ada 1', 'bob 2'])
    for (const person of stage.people) expect(person.refused).toContain('forged')
  })

  it('cannot put in a frame that is not sealed, from a member or from nobody', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    ada.say(0)
    await stage.run(300)
    const text = new TextEncoder().encode('{"n":7}')
    for (const first of Array.from({ length: 256 }, (_, byte) => byte)) {
      const payload = Uint8Array.of(first, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, ...text)
      for (const from of [stage.server.who('ada').id, '00000000000000aa' as Shown['id']]) {
        stage.server.hand('bob', { from, payload })
      }
    }
    await stage.run(1_000)
    ada.say(1)
    await stage.run(300)
    expect(bob.heard).toEqual(['ada 0', 'ada 1'])
    expect(bob.refused).toContain('unsealed')
  })
})
