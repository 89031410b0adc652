import { expect, it } from 'vitest'
import type { FillRandom, PeerId } from '../../../signaling/protocol/index.ts'
import type { Primitives } from '../../../web/client/sealing/primitives.ts'
import { RECORD } from '../../../web/client/sealing/records.ts'
import type { SenderKey } from '../../sealing/independent-records.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'
import fc from '../../support/properties.ts'
import { FormerMembers } from './former-members.ts'
import {
  ackFrame,
  admit,
  deliver,
  hex,
  latestFrame,
  type OnTheWay,
  peerId,
  roomFrame,
  type SealedMember,
  SealedRoom,
  unicastFrame,
} from './sealed-room.ts'

/** Every pair of raw key and nonce that anybody has sealed under. */
class Nonces {
  readonly #used = new Set<string>()
  repeated = 0
  /** Sender keys that were sealed in key records, by the raw key of the link. */
  readonly given = new Map<string, SenderKey[]>()

  get count(): number {
    return this.#used.size
  }

  #gave(link: string, plain: Buffer): void {
    const key = { epoch: plain.readUInt32BE(0), step: plain.readUInt16BE(4), key: plain.subarray(6) }
    this.given.set(link, [...(this.given.get(link) ?? []), key])
  }

  readonly primitivesOf = (fill: FillRandom): Primitives => {
    const primitives = nodePrimitives(fill)
    return {
      ...primitives,
      cipher: async (key) => {
        const cipher = await primitives.cipher(key)
        return {
          ...cipher,
          seal: (nonce, additional, plain) => {
            const pair = `${hex(key)} ${hex(nonce)}`
            if (this.#used.has(pair)) this.repeated += 1
            this.#used.add(pair)
            if (additional[0] === RECORD.key) this.#gave(hex(key), Buffer.from(plain))
            return cipher.seal(nonce, additional, plain)
          },
        }
      },
    }
  }
}

const OTHER = ['nothing', 'forgets', 'begins'] as const
const KINDS = [roomFrame, unicastFrame, ackFrame, latestFrame] as const

type Step =
  | {
      readonly do: 'send'
      readonly from: number
      readonly kind: number
      readonly lose: boolean
      readonly twice: boolean
    }
  | { readonly do: 'again'; readonly from: number; readonly frame: number; readonly lose: boolean }
  | { readonly do: 'join' }
  | { readonly do: 'time' }
  /** `begins`: all links to the others, once more, before it is gone. */
  | { readonly do: 'leave' | 'restart' | 'rejoin' | 'resume'; readonly who: number; readonly begins: boolean }
  /** `other`: it has noticed nothing, or the same, or it hears so by the greeting. */
  | { readonly do: 'forget'; readonly who: number; readonly whom: number; readonly other: (typeof OTHER)[number] }

const index = fc.nat(5)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      from: index,
      kind: fc.nat(3),
      lose: fc.boolean(),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('again' as const), from: index, frame: fc.nat(30), lose: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'join' }, { do: 'time' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'restart' as const, 'rejoin' as const, 'resume' as const),
      who: index,
      begins: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('forget' as const),
      who: index,
      whom: index,
      other: fc.constantFrom(...OTHER),
    }),
  },
)

/** One room, and what may happen in it. */
class Story {
  readonly room: SealedRoom
  readonly former: FormerMembers
  readonly #frames = new Map<SealedMember, Uint8Array[]>()
  /** What each member was addressed with, and when it came. */
  readonly #addressed = new Map<Uint8Array, readonly SealedMember[]>()
  #ids = 1_000

  constructor(seed: number, nonces: Nonces) {
    this.room = new SealedRoom(seed, nonces.primitivesOf)
    this.former = new FormerMembers(nonces.given)
  }

  async join(id?: PeerId): Promise<void> {
    const { change, joined } = this.former.watch()
    joined(await this.room.join({}, id, change))
  }

  async #sealed(from: SealedMember, to: readonly SealedMember[], frame: Uint8Array): Promise<OnTheWay[]> {
    const records = await this.room.sealed(from, to, frame)
    for (const record of records) this.former.look(record)
    return records
  }

  #pick(number: number): SealedMember {
    return this.room.members[number % this.room.members.length] as SealedMember
  }

  async run(step: Step): Promise<void> {
    const { room } = this
    const { members } = room
    if (step.do === 'join') {
      if (members.length < 6) await this.join()
    } else if (step.do === 'time') {
      room.clock.advance(1_000)
      await settled()
      for (const from of members) await this.#deliverRepeats(from)
    } else if (step.do === 'send') {
      const from = this.#pick(step.from)
      // The same bytes again and again, as after a wrap of the sequence numbers.
      const frame = (KINDS[step.kind] ?? roomFrame)(1, 2, 3)
      const to = members.filter((other) => other !== from)
      this.#addressed.set(frame, to)
      this.#frames.set(from, [...(this.#frames.get(from) ?? []), frame])
      const sealing = [this.#sealed(from, to, frame)]
      if (step.twice) sealing.push(this.#sealed(from, to, frame))
      await this.#deliverAll((await Promise.all(sealing)).flat(), step.lose)
    } else if (step.do === 'again') {
      const from = this.#pick(step.from)
      const frames = this.#frames.get(from) ?? []
      const frame = frames[step.frame % Math.max(1, frames.length)]
      if (frame === undefined) return
      const to = (this.#addressed.get(frame) ?? []).filter((other) => members.includes(other))
      const [one, other] = [await this.#sealed(from, to, frame), await this.#sealed(from, to, frame)]
      await this.#deliverAll([...one, ...other], step.lose)
    } else if (step.do === 'forget') {
      const [who, whom] = [this.#pick(step.who), this.#pick(step.whom)]
      if (who === whom) return
      who.sealing.left(whom.id)
      await admit(who, whom)
      if (step.other === 'begins') whom.sealing.begunAgain(who.id)
      if (step.other === 'forgets') {
        whom.sealing.left(who.id)
        await admit(whom, who)
      }
      await this.#greet([who, whom])
    } else if (step.do === 'resume') {
      const who = this.#pick(step.who)
      who.sealing.welcomed(who.id)
      for (const other of members) if (other !== who) await admit(who, other)
      await this.#greet(members)
    } else if (members.length > 2) {
      const who = this.#pick(step.who)
      if (step.begins) for (const other of members) other.sealing.begunAgain(who.id)
      room.leave(who)
      if (step.do !== 'rejoin') {
        who.sealing.close()
        this.former.left(who)
      }
      if (step.do === 'restart') await this.join(who.id)
      if (step.do === 'rejoin') {
        this.#ids += 1
        const again = { ...who, id: peerId(this.#ids) }
        again.sealing.welcomed(again.id)
        for (const other of members) await Promise.all([admit(other, again), admit(again, other)])
        this.#frames.set(again, this.#frames.get(who) ?? [])
        members.push(again)
      }
    }
  }

  /** As links do that begin anew: greetings, or the answers to them. */
  async #greet(members: readonly SealedMember[]): Promise<void> {
    for (const from of members) {
      const others = members.filter((other) => other !== from)
      await this.#deliverAll(await this.#sealed(from, others, Uint8Array.of(0xa0)), false)
    }
  }

  async #deliverRepeats(from: SealedMember): Promise<void> {
    for (const { to, payload } of from.repeated.splice(0)) {
      const receiver = this.room.members.find(({ id }) => id === to)
      if (receiver !== undefined) await deliver({ from, to: receiver, payload })
    }
  }

  async #deliverAll(records: readonly OnTheWay[], lose: boolean): Promise<void> {
    for (const record of records) {
      if (lose && this.room.random.chance(0.5)) continue
      const { refused } = await deliver(record)
      if (refused === 'forged' || refused === 'unsealed') throw new Error(`an honest record is ${refused}`)
    }
  }

  /** Whatever happened: a new frame reaches everybody, when it is sent again as streams do. */
  async arrives(from: SealedMember, frame: Uint8Array): Promise<boolean> {
    const missing = new Set(this.room.members.filter((other) => other !== from))
    for (let time = 0; time < 3 && missing.size > 0; time += 1) {
      for (const record of await this.#sealed(from, [...missing], frame)) {
        const { frames } = await deliver(record)
        if (frames.some((one) => hex(one) === hex(frame))) missing.delete(record.to)
      }
      this.room.clock.advance(5_000)
      await settled()
      await this.#deliverRepeats(from)
    }
    return missing.size === 0
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('no key and nonce occur twice, honest records open, everybody is reached, and who left opens nothing new', {
  timeout: 60_000,
}, async () => {
  let sealed = 0
  let tried = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(steps, { minLength: 10, maxLength: 40 }), async (seed, story) => {
      const nonces = new Nonces()
      const told = new Story(seed, nonces)
      for (let number = 0; number < 3; number += 1) await told.join()
      for (const step of story) await told.run(step)
      for (const from of told.room.members) {
        expect(await told.arrives(from, roomFrame(9, 9))).toBe(true)
        expect(await told.arrives(from, unicastFrame(9, 9))).toBe(true)
      }
      expect(nonces.repeated).toBe(0)
      expect(told.former.read).toBe(0)
      tried += told.former.tried
      sealed += nonces.count
      for (let time = 0; time < 3; time += 1) await told.run({ do: 'time' })
      expect(told.room.clock.pending()).toBe(0)
    }),
    { numRuns: 30 },
  )
  expect(sealed).toBeGreaterThan(1_000)
  expect(tried).toBeGreaterThan(0)
})
