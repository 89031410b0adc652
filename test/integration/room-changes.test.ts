import { afterEach, describe, expect, it } from 'vitest'
import type { PeerId } from '../../signaling/protocol/ids.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { LiveHub } from './live-hub.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

const STEPS = 250
const MOST = 24
const SMALL = 20
/** Just below what goes to all in one call, and above. */
const LARGE = 3_900
const LARGER = 6_000
const FLOOD = 300

/** One uplink of a member, with what was to reach it and whether it saw that through. */
interface Period {
  readonly client: WireClient
  ended: boolean
}

/** A member through all its uplinks, with the numbers of what others sent it while it was a member. */
class Person {
  readonly periods: Period[] = []
  readonly sentTo = new Map<string, number[]>()
  id = '' as PeerId
  token = ''
  count = 0
  reading = true

  get now(): Period | undefined {
    return this.periods.find(({ ended }) => !ended)
  }

  owed(sender: Person, number: number): void {
    const numbers = this.sentTo.get(sender.id) ?? []
    numbers.push(number)
    this.sentTo.set(sender.id, numbers)
  }
}

class Crowd {
  readonly people: Person[] = []
  readonly #url: string
  readonly #random: SeededRandom

  constructor(port: number, random: SeededRandom) {
    this.#url = `http://127.0.0.1:${port}/base`
    this.#random = random
  }

  /** A new member, or one that comes back: beside its uplink, or after it. */
  async enter(person = new Person()): Promise<void> {
    const client = await WireClient.connect(this.#url)
    undo.push(() => client.drop())
    const first = person.periods[0]?.client
    const again = first === undefined ? {} : { token: person.token, instance: first.instance, joinKey: first.joinKey }
    const welcome = await client.join({ room: 'changing', ...again })
    for (const period of person.periods) period.ended = true
    person.id = welcome.peerId
    person.token = welcome.token
    person.reading = true
    person.periods.push({ client, ended: false })
    if (first === undefined) this.people.push(person)
  }

  send(sender: Person, client: WireClient): void {
    const how = this.#random.integer(0, 10)
    const size = [SMALL, SMALL, SMALL, LARGE, LARGER][this.#random.integer(0, 5)] ?? SMALL
    const others = this.people.filter((other) => other !== sender)
    sender.count += 1
    const payload = `${sender.count}:${'x'.repeat(size)}`
    const some = others.filter(() => this.#random.integer(0, 2) === 0)
    const ids = some.map(({ id }) => id)
    let reached = others
    if (how < 6) client.send({ kind: 'all' }, payload)
    else if (how < 8 && others[0] !== undefined) {
      const one = others[this.#random.integer(0, others.length)] ?? others[0]
      reached = [one]
      client.send({ kind: 'one', id: one.id }, payload)
    } else if (how === 8 && ids.length > 0) {
      reached = some
      client.send({ kind: 'several', ids }, payload)
    } else {
      reached = others.filter((other) => !some.includes(other))
      client.send({ kind: 'except', ids }, payload)
    }
    for (const other of reached) other.owed(sender, sender.count)
  }

  async step(): Promise<void> {
    const present = this.people.filter(({ now }) => now !== undefined)
    const person = present[this.#random.integer(0, present.length)]
    const client = person?.now?.client
    if (person === undefined || client === undefined) return await this.enter()
    const what = this.#random.integer(0, 100)
    if (what < 60) {
      for (let count = this.#random.integer(0, 8); count >= 0; count -= 1) this.send(person, client)
    } else if (what < 70) {
      if (person.reading) await client.settle()
    } else if (what < 76) {
      if (this.people.length < MOST) await this.enter()
    } else if (what < 80) {
      await this.#said(person)
      await this.enter(person)
    } else if (what < 84) {
      await this.#said(person)
      if (person.now !== undefined) person.now.ended = true
      client.drop()
    } else if (what < 90) {
      const away = this.people.find(({ now }) => now === undefined)
      if (away !== undefined) await this.enter(away)
    } else if (what < 94) {
      client.pauseReading()
      person.reading = false
    } else if (what < 97) {
      for (const one of present) this.#read(one)
    } else if (present.some(({ reading }) => !reading)) {
      for (let count = 0; count < FLOOD; count += 1) {
        sendAll(person, client, this.people)
      }
    }
  }

  /** What it sent last has been taken: what breaks off is only what it hears. */
  async #said(person: Person): Promise<void> {
    this.#read(person)
    await person.now?.client.settle()
  }

  #read(person: Person): void {
    person.now?.client.resumeReading()
    person.reading = true
  }

  /** Everything that is under way has come. */
  async settle(): Promise<void> {
    for (const person of this.people) this.#read(person)
    for (let round = 0; round < 2; round += 1) {
      for (const { now } of this.people) await now?.client.settle()
    }
  }
}

function sendAll(sender: Person, client: WireClient, people: readonly Person[]): void {
  sender.count += 1
  client.send({ kind: 'all' }, `${sender.count}:${'y'.repeat(LARGE)}`)
  for (const other of people) if (other !== sender) other.owed(sender, sender.count)
}

/** Nothing twice, nothing out of order, and in one uplink nothing left out between what came. */
function check(people: readonly Person[]): number {
  let heard = 0
  for (const person of people) {
    for (const sender of people) {
      const owed = person.sentTo.get(sender.id) ?? []
      let last = -1
      for (const { client, ended } of person.periods) {
        const numbers = client.unreadFrames
          .filter(({ from }) => from === sender.id)
          .map(({ payload }) => Number(payload.slice(0, payload.indexOf(':'))))
        const [first] = numbers
        if (first === undefined) continue
        heard += numbers.length
        const from = owed.indexOf(first)
        expect(from).toBeGreaterThan(last)
        expect(numbers).toEqual(owed.slice(from, from + numbers.length))
        last = from + numbers.length - 1
        if (!ended && sender.periods.length === 1 && !sender.periods[0]?.ended) expect(last).toBe(owed.length - 1)
      }
    }
  }
  return heard
}

const seeds = (process.env.PARTYLINE_SEEDS ?? '1,2,3').split(',').map(Number)

describe.each(['uws', 'ws'] as const)('a room whose members come, go, come back and read slowly, on %s', (engine) => {
  it.each(seeds)(
    'gives each of them each frame once and in order (seed %i)',
    async (seed) => {
      const live = await LiveHub.start(engine, {
        ...{ messagesPerSecond: 1e6, bytesPerSecond: 1e9, deliveriesPerSecond: 1e9, connectionsPerAddress: 10_000 },
        ...{ slowReaderBytes: 67_108_864, slowReaderMs: 60_000, graceMs: 60_000 },
      })
      undo.push(() => live.kill())
      const crowd = new Crowd(live.port, new SeededRandom(seed))
      for (let count = 0; count < 10; count += 1) await crowd.enter()
      for (let step = 0; step < STEPS; step += 1) await crowd.step()
      await crowd.settle()
      expect(check(crowd.people)).toBeGreaterThan(1_000)
      expect(live.hub.stats()).toMatchObject({ droppedSlow: 0 })
    },
    30_000,
  )
})
