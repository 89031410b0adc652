import { expect, it } from 'vitest'
import { SimWorld } from '../simulation/sim-world.ts'
import { MaliciousServer } from './malicious-server.ts'
import { roomOf } from './whole-rooms.ts'

const KEY = 3
const HELD = 4
const DELAY_MS = 20
const ROUND_TRIP_MS = 2 * DELAY_MS
/** A connection and its upgrade, which takes the join along. */
const CONNECT_MS = 2 * DELAY_MS

it('the 50th member is heard by all within two round trips of asking to be let in, and keys do not storm', async () => {
  const server = new MaliciousServer()
  const world = new SimWorld(1, { between: server.between })
  const options = { secret: 'AAECAwQFBgcICQoLDA0ODw', paths: ['relay'] as const }
  const heardAtMs: number[] = []
  for (let number = 1; number < 50; number += 1) {
    const { room } = world.join('lobby', `member ${number}`, options, DELAY_MS)
    room.channel<string>('chat').on('message', ({ data }) => data === 'fifty' && heardAtMs.push(world.clock.now()))
    await world.clock.run(20)
  }
  await world.clock.run(1_500)
  for (const recorded of server.recorded.values()) recorded.length = 0
  const startedAtMs = world.clock.now()
  const last = world.join('lobby', 'member 50', options, DELAY_MS)
  void last.room.channel<string>('chat').send('fifty')
  await world.clock.run(CONNECT_MS + 2 * ROUND_TRIP_MS)
  expect(heardAtMs).toHaveLength(49)
  const since = heardAtMs.map((atMs) => atMs - startedAtMs - CONNECT_MS)
  await world.clock.run(1_000)

  const all = [...server.recorded.values()].flat().map(({ payload }) => payload)
  const ofKind = (kind: number): number => all.filter((payload) => payload[0] === kind).length
  expect(Math.max(...since)).toBeLessThanOrEqual(2 * ROUND_TRIP_MS)
  // The newcomer gives its key to each once; nobody else has anything to give before it speaks.
  expect(ofKind(KEY)).toBe(49)
  expect(ofKind(HELD)).toBe(49)
  // Of 49 others each: a key and its answer, greetings, the message, acks and pings.
  expect(all.length).toBeLessThan(49 * 13)
  expect(all.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(49 * 700)
}, 120_000)

it('keys go to each member once for each change of members, and cost no time', async () => {
  const count = 12
  const [sealed, open] = [await roomOf(count, 'secret'), await roomOf(count, 'open')]
  const others = count - 1
  expect(sealed.map(({ keys, held }) => [keys, held])).toEqual([
    [others, others],
    // Nobody but the last had given a key before: all others give theirs.
    [others * others, others * others],
    [0, 0],
    [others * (others - 1), others * (others - 1)],
  ])
  expect(sealed.map(({ lastHeardMs }) => lastHeardMs)).toEqual(open.map(({ lastHeardMs }) => lastHeardMs))
  // Beside the keys and their answers, nothing is sent that an open room does not send.
  expect(sealed[2]?.records).toBe(open[2]?.records)
}, 120_000)
