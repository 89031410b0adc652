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

/** One uplink of a member. */
interface Period {
  readonly client: WireClient
  ended: boolean
}

/** A member through all its uplinks, with what it sent. */
class Person {
  readonly periods: Period[] = []
  readonly #sent: { readonly number: number; readonly reaches: (id: PeerId) => boolean }[] = []
  id = '' as PeerId
  token = ''
  reading = true

  get now(): Period | undefined {
    return this.periods.find(({ ended }) => !ended)
  }

  /** The number of its next frame. */
  next(reaches: (id: PeerId) => boolean = () => true): number {
    const number = this.#sent.length + 1
    this.#sent.push({ number, reaches })
    return number
  }

  /** What may reach another: as long as that one is there. */
  for(id: PeerId): readonly number[] {
    return id === this.id ? [] : this.#sent.flatMap(({ number, reaches }) => (reaches(id) ? [number] : []))
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
    const filling = 'x'.repeat(this.#random.pick([SMALL, SMALL, SMALL, LARGE, LARGER]))
    const others = this.people.flatMap(({ id }) => (id === sender.id ? [] : [id]))
    const some = others.filter(() => this.#random.chance(0.5))
    if (how < 6) client.send({ kind: 'all' }, `${sender.next()}:${filling}`)
    else if (how < 8) {
      const one = this.#random.pick(others)
      client.send({ kind: 'one', id: one }, `${sender.next((id) => id === one)}:${filling}`)
    } else if (how === 8 && some.length > 0) {
      client.send({ kind: 'several', ids: some }, `${sender.next((id) => some.includes(id))}:${filling}`)
    } else client.send({ kind: 'except', ids: some }, `${sender.next((id) => !some.includes(id))}:${filling}`)
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
        client.send({ kind: 'all' }, `${person.next()}:${'x'.repeat(LARGE)}`)
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

/** Nothing twice, nothing out of order, and in one uplink nothing left out between what came. */
function check(people: readonly Person[]): number {
  let heard = 0
  for (const person of people) {
    for (const sender of people) {
      const owed = sender.for(person.id)
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
  it.each(seeds)('gives each of them each frame once and in order (seed %i)', async (seed) => {
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
  })
})
