/** What sealing costs whole rooms: real rooms and the real hub, under a simulated clock. */
import type { JoinOptions } from '../../web/client/face.ts'
import { SimWorld } from '../simulation/sim-world.ts'
import { MaliciousServer } from './malicious-server.ts'
import { median, type Spent, type Stopwatch } from './stopwatch.ts'

const SECRET = 'AAECAwQFBgcICQoLDA0ODw'
const DELAY_MS = 20
const KEY = 3
const HELD = 4

/** What passed the server within 2 s. */
export interface Passed {
  readonly what: string
  /** Payloads: records, or in an open room frames. */
  readonly records: number
  readonly keys: number
  readonly held: number
  readonly bytes: number
  /** Until the last one heard the last message, in simulated ms. */
  readonly lastHeardMs: number
}

/** To so many less one comes the last and speaks; all speak; all speak again; one leaves, and all speak. */
export async function roomOf(count: number, sealing: 'open' | 'secret'): Promise<readonly Passed[]> {
  const server = new MaliciousServer()
  const world = new SimWorld(1, { between: server.between })
  let lastHeardMs = 0
  const enter = (number: number) => {
    const options: JoinOptions = sealing === 'open' ? { sealing } : { secret: SECRET }
    const { room } = world.join('lobby', `member ${number}`, { paths: ['relay'], ...options }, DELAY_MS)
    const channel = room.channel<string>('chat')
    channel.on('message', () => {
      lastHeardMs = world.clock.now()
    })
    return { room, channel }
  }
  const passed: Passed[] = []
  const measured = async (what: string, work: () => void): Promise<void> => {
    for (const recorded of server.recorded.values()) recorded.length = 0
    const startedMs = world.clock.now()
    work()
    await world.clock.run(2_000)
    const all = [...server.recorded.values()].flat().map(({ payload }) => payload)
    // In an open room payloads are frames, and their first byte is something else.
    const ofKind = (kind: number): number =>
      sealing === 'open' ? 0 : all.filter((payload) => payload[0] === kind).length
    const bytes = all.reduce((sum, { length }) => sum + length, 0)
    passed.push({
      what,
      records: all.length,
      keys: ofKind(KEY),
      held: ofKind(HELD),
      bytes,
      lastHeardMs: Math.round(lastHeardMs - startedMs),
    })
  }
  const members: ReturnType<typeof enter>[] = []
  for (let number = 1; number < count; number += 1) {
    members.push(enter(number))
    await world.clock.run(20)
  }
  await world.clock.run(1_500)
  const allSpeak = (): void => {
    for (const { channel } of members) channel.send('hello')
  }
  await measured('the last comes and speaks', () => {
    const last = enter(count)
    members.push(last)
    last.channel.send('hello')
  })
  await measured('all speak', allSpeak)
  await measured('all speak again', allSpeak)
  void members.splice(3, 1)[0]?.room.leave()
  await world.clock.run(1_000)
  await measured('one has left, all speak', allSpeak)
  return passed
}

export interface Compared {
  readonly openUs: number
  readonly sealedUs: number
  /** Of the two that took their turns one after the other: the median, the least and the most. */
  readonly ratio: readonly [median: number, least: number, most: number]
}

const MESSAGES = 4_000
const TURNS = 9

/** Processor time of one message from one member by the relay to another: both members, the hub and the simulator. */
export async function oneToAnother(stopwatch: Stopwatch): Promise<Compared> {
  const inRoom = async (options: JoinOptions): Promise<number> => {
    const world = new SimWorld(1)
    const [ada, bob] = ['ada', 'bob'].map((name) =>
      world.join('lobby', name, { paths: ['relay'], ...options }, DELAY_MS),
    )
    if (ada === undefined || bob === undefined) throw new Error('nobody came')
    await world.clock.run(1_000)
    let heard = 0
    bob.room.channel<string>('chat').on('message', () => {
      heard += 1
    })
    const channel = ada.room.channel<string>('chat')
    const data = 'x'.repeat(80)
    const spent: Spent = await stopwatch(1_000 / MESSAGES, async () => {
      for (let sent = 0; sent < MESSAGES; sent += 20) {
        for (let number = 0; number < 20; number += 1) channel.send(data)
        await world.clock.run(20)
      }
      await world.clock.run(1_000)
    })
    if (heard !== MESSAGES) throw new Error(`${heard} of ${MESSAGES} were heard`)
    return spent.processor ?? spent.clock
  }
  const open: number[] = []
  const sealed: number[] = []
  for (let turn = 0; turn < TURNS; turn += 1) {
    open.push(await inRoom({ sealing: 'open' }))
    sealed.push(await inRoom({ secret: SECRET }))
  }
  const ratios = sealed.map((us, turn) => us / (open[turn] ?? Number.NaN))
  const brief = (value: number): number => Number(value.toPrecision(3))
  return {
    openUs: brief(median(open)),
    sealedUs: brief(median(sealed)),
    ratio: [brief(median(ratios)), brief(Math.min(...ratios)), brief(Math.max(...ratios))],
  }
}
