import { type Figure, figureOf } from '../figure.ts'
import { affordable } from './arrivals.ts'
import { Busy, cost, rounds, Values, withServers } from './contest.ts'
import { OVER_WEBSOCKET, type RelayName } from './contestants.ts'
import type { RelayEffort } from './effort.ts'

type Log = (text: string) => void

const ROUNDS = 2
/** Deliveries under way, whatever the size of a room: else large rooms would have larger bursts. */
const UNDER_WAY = 4_000
const SMALL_ROOM = 2

export const ROOM_SIZE = 'processor time of a delivery, by members of a room'
export const ROOMS = 'processor time of a delivery, by rooms'

/** How the cost of a delivery grows with the size of a room, and with the number of rooms. */
export async function growth({ roomSizes, rooms, turnMs }: RelayEffort, log: Log): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const size of roomSizes) {
    log(`growth, a room of ${size}`)
    const inFlight = Math.max(2, Math.ceil(UNDER_WAY / size))
    figures.push(await costOf(`${ROOM_SIZE}: ${size}`, { members: size }, size, size, inFlight, turnMs))
  }
  for (const count of rooms) {
    const members = affordable(count * SMALL_ROOM, SMALL_ROOM, log)
    log(`growth, ${members / SMALL_ROOM} rooms of ${SMALL_ROOM}`)
    const name = `${ROOMS} of ${SMALL_ROOM}: ${members / SMALL_ROOM}`
    figures.push(await costOf(name, { rooms: members / SMALL_ROOM }, members, SMALL_ROOM, 100, turnMs))
  }
  return figures
}

async function costOf(
  name: string,
  at: Readonly<Record<string, number>>,
  members: number,
  roomMembers: number,
  inFlight: number,
  ms: number,
): Promise<Figure> {
  return withServers(OVER_WEBSOCKET, async (servers, generator) => {
    const values = new Values<'cost'>()
    const busy = new Busy()
    // Many connections: one server after the other has them.
    const together = members <= 2_000
    const gather = (relay: RelayName) => {
      const { port = 0, pid = 0 } = servers.get(relay) ?? {}
      return generator.gather(relay, { relay, port, serverPid: pid, members, roomMembers })
    }
    if (together) for (const relay of OVER_WEBSOCKET) await gather(relay)
    const turn = async (relay: RelayName) => {
      if (!together) await gather(relay)
      const load = await generator.load(relay, { to: 'room', inFlight, ms })
      if (!together) await generator.leave(relay)
      return load
    }
    await rounds(OVER_WEBSOCKET, together ? ROUNDS : 1, turn, (relay, turns) => {
      values.add('cost', relay, cost(turns))
      busy.add(relay, turns)
    })
    return figureOf(
      { name, unit: 'µs', at, note: `${inFlight} messages of 100 bytes under way. ${busy.note}` },
      values.of('cost'),
    )
  })
}
