import { describe, expect, it } from 'vitest'
import { sha256 } from './independent-announcement.ts'
import { groupRecord, KEY, keyName, LINK, linkRecord, type SenderKey } from './independent-records.ts'
import { lineFrame, positionFrame, type RawMember } from './raw-member.ts'
import { type Company, company, goesOn, LOBBY, type Person } from './stage.ts'

const instanceOf = ({ instance }: RawMember): Buffer => Buffer.from(instance, 'hex')

const keyNumber = (number: number): SenderKey => ({ epoch: number, step: 0, key: sha256(Buffer.from(`${number}`)) })

function give({ mallory }: Company, to: Person, key: SenderKey): void {
  const { member } = mallory
  mallory.send(to.id, linkRecord(KEY, member.sendingTo(to.id), member.nextCounter(), keyName(key)))
}

function sayUnder({ mallory }: Company, to: Person, key: SenderKey, frame: Uint8Array): void {
  mallory.send(to.id, groupRecord(key, instanceOf(mallory), LOBBY, mallory.member.nextCounter(), frame))
}

describe('a member that misuses its sender key', { timeout: 30_000 }, () => {
  it('is not heard by whom it gives another than it uses, and who is so treated is told', async () => {
    const scene = await company()
    const { ada, bob, stage } = scene
    const [used, other] = [keyNumber(1), { ...keyNumber(2), epoch: 1 }]
    give(scene, ada, used)
    give(scene, bob, other)
    for (const to of [ada, bob]) sayUnder(scene, to, used, lineFrame(3, 0))
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 2', 'mallory 3'])
    expect(bob.heard).toEqual(['ada 1'])
    expect(bob.refusedOf).toEqual(['mallory forged'])
    await goesOn(scene)
  })

  it('cannot give another key under a name that it gave before', async () => {
    const scene = await company()
    const { bob, stage } = scene
    give(scene, bob, keyNumber(1))
    give(scene, bob, { ...keyNumber(2), epoch: 1 })
    sayUnder(scene, bob, { ...keyNumber(2), epoch: 1 }, lineFrame(3, 0))
    sayUnder(scene, bob, keyNumber(1), lineFrame(4, 0))
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1', 'mallory 4'])
    expect(bob.refusedOf).toEqual(['mallory forged'])
    await goesOn(scene)
  })

  it('is heard once, whatever it repeats', async () => {
    const scene = await company()
    const { ada, bob, mallory, stage } = scene
    const { member } = mallory
    const records = [mallory.line(3), positionFrame(1, 1), mallory.greeting()].flatMap((frame) =>
      member.seal([bob.id], frame).map(({ payload }) => payload),
    )
    const values: unknown[] = []
    bob.room.latest<number>('positions').on('value', ({ value }) => values.push(value))
    for (let time = 0; time < 5; time += 1) {
      for (const payload of records) mallory.send(bob.id, payload)
      await stage.run(1_100)
    }
    expect(bob.heard).toEqual(['ada 1', 'mallory 3'])
    expect(values).toEqual([1])
    expect(new Set(bob.refusedOf)).toEqual(new Set(['mallory replayed']))
    expect(ada.refused).toEqual([])
    await goesOn(scene)
  })

  it('is heard under a key that it should have given up: only others are harmed by what it keeps', async () => {
    const scene = await company()
    const { bob, stage } = scene
    give(scene, bob, keyNumber(1))
    give(scene, bob, keyNumber(2))
    sayUnder(scene, bob, keyNumber(2), lineFrame(3, 0))
    sayUnder(scene, bob, keyNumber(1), lineFrame(4, 1))
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1', 'mallory 3', 'mallory 4'])
    await goesOn(scene)
  })

  it('has 64 keys kept, however many it gives, and the others hear each other meanwhile', async () => {
    const scene = await company()
    const { bob, stage } = scene
    for (let number = 1; number <= 1_000; number += 1) {
      give(scene, bob, keyNumber(number))
      if (number % 100 === 0) await goesOn(scene)
    }
    sayUnder(scene, bob, keyNumber(936), lineFrame(3, 0))
    sayUnder(scene, bob, keyNumber(937), lineFrame(4, 0))
    await stage.run(500)
    expect(bob.heard.filter((line) => line.startsWith('mallory'))).toEqual(['mallory 4'])
    expect(bob.refused).toEqual([])
    await goesOn(scene)
  })

  it('has so much of it waiting for keys that never come, and no more', async () => {
    const scene = await company()
    const { bob, stage } = scene
    const bytes = new Uint8Array(16_000)
    for (let number = 0; number < 40; number += 1) sayUnder(scene, bob, keyNumber(5), lineFrame(number, number))
    for (let number = 0; number < 20; number += 1) {
      sayUnder(scene, bob, keyNumber(6), Buffer.concat([lineFrame(9, 100 + number), bytes]))
    }
    await stage.run(500)
    // The first of them have made room.
    give(scene, bob, keyNumber(5))
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1'])
    await goesOn(scene)
  })

  it('harms itself alone with counters beyond all bounds', async () => {
    const scene = await company()
    const { bob, mallory, stage } = scene
    const key = mallory.member.sendingTo(bob.id)
    const counters = [2 ** 53 - 1, 2 ** 53, 2 ** 63]
    for (const counter of counters)
      mallory.send(bob.id, linkRecord(LINK, key, counter, Uint8Array.of(0x60, 0, 0, 0, 1)))
    mallory.say(bob.id, mallory.line(3))
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1'])
    expect(bob.refusedOf).toEqual(['mallory forged', 'mallory replayed'])
    await goesOn(scene)
  })
})

describe('a member that keeps no rules', () => {
  it('is not heard on what it may not', async () => {
    const scene = await company()
    const { ada, bob, mallory, stage } = scene
    stage.server.tell('bob', { t: 'changed', version: 4, id: mallory.id, rights: ['direct'] })
    mallory.say([ada.id, bob.id], mallory.line(3))
    mallory.say([ada.id, bob.id], positionFrame(7, 1))
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 2', 'mallory 3'])
    expect(bob.heard).toEqual(['ada 1'])
    expect(bob.room.latest<number>('positions').get(mallory.id)).toBeUndefined()
    await goesOn(scene)
  })

  it('breaks nothing with frames that are none, in records that open', async () => {
    const scene = await company()
    const { bob, mallory, stage } = scene
    const { random } = stage.world
    for (let number = 0; number < 600; number += 1) {
      const frame = new Uint8Array(random.integer(0, 60))
      random.fill(frame)
      frame[0] = ((number % 8) << 5) | random.integer(0, 32)
      mallory.say(bob.id, frame)
      if (number % 100 === 0) await goesOn(scene)
    }
    await stage.run(1_000)
    expect(bob.room.status).toBe('online')
    await goesOn(scene)
  })
})
