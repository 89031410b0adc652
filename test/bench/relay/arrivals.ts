import { type Figure, figureOf, rounded, withGoal } from '../figure.ts'
import { Busy, plainFigure, Values, withServers } from './contest.ts'
import { httpCarrier, RELAYS } from './contestants.ts'
import type { RelayEffort } from './effort.ts'
import { openFilesLimit } from './processor-time.ts'

const ROOM_MEMBERS = 10
/** What else a process has open. */
const SPARE_FILES = 200

type Log = (text: string) => void

/** So many connections as wanted, in whole rooms, or as many as this user may have. */
export function affordable(members: number, roomMembers: number, log: Log): number {
  const most = openFilesLimit() - SPARE_FILES
  if (members > most) log(`only ${most} connections: this user may not have more open files (ulimit -n)`)
  return Math.floor(Math.min(members, most) / roomMembers) * roomMembers
}

/** What a member costs that says nothing. */
export async function memory({ idleMembers }: RelayEffort, log: Log): Promise<Figure[]> {
  const kilobytes = new Map<string, number>()
  for (const relay of RELAYS) {
    log(`memory, ${relay}`)
    // Over plain HTTP a member has two connections.
    const connections = httpCarrier(relay) === undefined ? 1 : 2
    const members = affordable(idleMembers, ROOM_MEMBERS * connections, log) / connections
    await withServers([relay], async (servers, generator) => {
      const server = servers.get(relay)
      if (server === undefined) return
      const options = { relay, port: server.port, serverPid: server.pid, roomMembers: ROOM_MEMBERS }
      // What is made once and by the first, is not the members'.
      await generator.gather('first', { ...options, members: 10 * ROOM_MEMBERS })
      await generator.leave('first')
      const before = await server.memoryBytes()
      await generator.gather(relay, { ...options, members })
      await new Promise((resolve) => setTimeout(resolve, 2_000))
      kilobytes.set(relay, rounded(((await server.memoryBytes()) - before) / members / 1_024))
    })
  }
  const note = `${idleMembers} members, half as many over plain HTTP, in rooms of ${ROOM_MEMBERS}. Resident memory of the server after its garbage was collected, less what it had before; without the kernel's.`
  const figure = plainFigure({ name: 'memory of an idle member', unit: 'KiB', note }, kilobytes)
  const beyond = rounded((kilobytes.get('ours') ?? Number.NaN) - (kilobytes.get('bare') ?? Number.NaN))
  return [
    withGoal(figure, undefined),
    withGoal(
      {
        name: 'memory of an idle member beyond bare',
        unit: 'KiB',
        ours: beyond,
        bare: null,
        peers: {},
        ratio: null,
        note,
      },
      { of: 'ours', most: 3 },
    ),
  ]
}

/** Members come, each as soon as one before it is in. */
export async function joins({ joiningMembers, repeats }: RelayEffort, log: Log): Promise<Figure[]> {
  const members = affordable(joiningMembers, ROOM_MEMBERS, log)
  const values = new Values<'rate' | 'cost'>()
  const busy = new Busy()
  await withServers(RELAYS, async (servers, generator) => {
    for (let repeat = 0; repeat <= repeats; repeat += 1) {
      for (const [relay, { port, pid }] of servers) {
        const opened = await generator.gather(
          relay,
          { relay, port, serverPid: pid, members, roomMembers: ROOM_MEMBERS },
          100,
        )
        await generator.leave(relay)
        // Its closing is not the next one's business.
        await new Promise((resolve) => setTimeout(resolve, 500))
        if (repeat === 0) continue
        values.add('rate', relay, members / opened.seconds)
        values.add('cost', relay, (opened.serverSeconds / members) * 1e6)
        busy.add(relay, [opened])
      }
    }
  })
  const note = `${members} members, 100 at a time, into rooms of ${ROOM_MEMBERS}, until the server says that they are in; ours tells the others in the room. ${busy.note}`
  return [
    figureOf({ name: 'joins', unit: '1/s', note }, values.of('rate')),
    figureOf({ name: 'processor time of a join', unit: 'µs', note }, values.of('cost')),
  ]
}

/** All are cut off at once, and all come back at once. */
export async function storm({ stormMembers, repeats }: RelayEffort, log: Log): Promise<Figure[]> {
  const members = affordable(stormMembers, ROOM_MEMBERS, log)
  const values = new Values<'time' | 'processor'>()
  const busy = new Busy()
  let retries = 0
  for (const relay of RELAYS) {
    log(`storm, ${relay}`)
    await withServers([relay], async (servers, generator) => {
      const server = servers.get(relay)
      if (server === undefined) return
      const { port, pid } = server
      await generator.gather(relay, { relay, port, serverPid: pid, members, roomMembers: ROOM_MEMBERS })
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        const back = await generator.storm(relay)
        values.add('time', relay, back.seconds)
        values.add('processor', relay, back.serverSeconds)
        busy.add(relay, [back])
        if (relay === 'ours') retries += back.retries
      }
    })
  }
  const note = `${members} members in rooms of ${ROOM_MEMBERS} are cut off and connect again, all at once, from one process; ours come back as who they were (${retries} attempts of ours were repeated). ${busy.note}`
  return [
    figureOf({ name: `${members} members reconnecting`, unit: 's', note }, values.of('time'), { of: 'ours', most: 1 }),
    figureOf({ name: `processor time of ${members} members reconnecting`, unit: 's', note }, values.of('processor')),
  ]
}
