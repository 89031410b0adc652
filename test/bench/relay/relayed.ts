import { type Figure, figureOf, quantile } from '../figure.ts'
import { Busy, cost, perSecond, rounds, Values, withServers } from './contest.ts'
import { RELAYS, type RelayName, WITH_ROOMS } from './contestants.ts'
import type { LoadOptions } from './crowd.ts'
import type { RelayEffort } from './effort.ts'

const ROOM_MEMBERS = 50
/** 9,800 deliveries a second: a few percent of a core. */
const LIGHT = { to: 'room', perSecond: 200, pings: true } as const
const FULL = { to: 'room', inFlight: 256, pings: true } as const
/** A server that has run for a minute has its code compiled; without these, light load would measure the first seconds. */
const WARM_UP = { full: { ...FULL, ms: 2_000 }, light: { ...LIGHT, ms: 20_000 } } as const
const PAIRS = 100
/** Each pair has one message under way: nothing can be gathered. */
const ONE_TO_ONE = { to: 'one', inFlight: PAIRS } as const

/** A room of 50 at light and at full load: cost of a delivery, round trips meanwhile. */
export async function inRooms({ rounds: count, turnMs }: RelayEffort): Promise<Figure[]> {
  return withServers(WITH_ROOMS, async (servers, generator) => {
    for (const [relay, { port, pid }] of servers) {
      await generator.gather(relay, { relay, port, serverPid: pid, members: ROOM_MEMBERS, roomMembers: ROOM_MEMBERS })
    }
    for (const relay of servers.keys()) await generator.load(relay, WARM_UP.full)
    await Promise.all([...servers.keys()].map((relay) => generator.load(relay, WARM_UP.light)))
    const figures: Figure[] = []
    for (const [name, load] of Object.entries({ light: LIGHT, full: FULL }) as ['light' | 'full', typeof LIGHT][]) {
      const values = new Values<'cost' | 'rate' | 'p50' | 'p99'>()
      const busy = new Busy({ paced: name === 'light' })
      const turn = (relay: RelayName) => generator.load(relay, { ...load, ms: turnMs } satisfies LoadOptions)
      await rounds(WITH_ROOMS, count, turn, (relay, turns) => {
        const trips = turns.flatMap((one) => one.roundTripsMs)
        values.add('cost', relay, cost(turns))
        values.add('rate', relay, perSecond(turns))
        values.add('p50', relay, quantile(trips, 0.5))
        values.add('p99', relay, quantile(trips, 0.99))
        busy.add(relay, turns)
      })
      const what = `${name} load, a room of ${ROOM_MEMBERS}`
      const goal = { of: 'ratio', most: name === 'light' ? 1.1 : 0.5 } as const
      const note = `Messages of 100 bytes${name === 'light' ? ', 200 a second' : `, ${FULL.inFlight} under way`}. ${busy.note}`
      figures.push(
        figureOf({ name: `processor time of a delivery, ${what}`, unit: 'µs', note }, values.of('cost'), goal),
        figureOf({ name: `deliveries, ${what}`, unit: '1/s', note }, values.of('rate')),
        figureOf({ name: `round trip of two members, p50, ${what}`, unit: 'ms', note }, values.of('p50')),
        figureOf({ name: `round trip of two members, p99, ${what}`, unit: 'ms', note }, values.of('p99')),
      )
    }
    return figures
  })
}

/** From one member to one other. */
export async function oneToOne({ rounds: count, turnMs }: RelayEffort): Promise<Figure[]> {
  return withServers(RELAYS, async (servers, generator) => {
    for (const [relay, { port, pid }] of servers) {
      await generator.gather(relay, { relay, port, serverPid: pid, members: 2 * PAIRS, roomMembers: 2 })
    }
    const values = new Values<'cost' | 'rate'>()
    const busy = new Busy()
    const turn = (relay: RelayName) => generator.load(relay, { ...ONE_TO_ONE, ms: turnMs })
    await rounds(RELAYS, count, turn, (relay, turns) => {
      values.add('cost', relay, cost(turns))
      values.add('rate', relay, perSecond(turns))
      busy.add(relay, turns)
    })
    const note = `${PAIRS} pairs, each with one message of 100 bytes under way. ${busy.note}`
    return [
      figureOf({ name: 'processor time of a message to one', unit: 'µs', note }, values.of('cost'), {
        of: 'ratio',
        most: 1.1,
      }),
      figureOf({ name: 'messages to one', unit: '1/s', note }, values.of('rate')),
    ]
  })
}
