import { describe, expect, it } from 'vitest'
import { decrypt, groupKey, nextStep } from './independent-records.ts'
import type { Handed } from './malicious-server.ts'
import { LOBBY, Stage } from './stage.ts'

describe.each(['link', 'secret'] as const)('a newcomer to a room in mode %s, whom the server helps', (mode) => {
  it('reads nothing that was sealed before it came', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two(mode === 'link' ? {} : undefined)
    const before: Handed[] = []
    stage.server.handed = (_client, frame) => {
      before.push(frame)
      return [frame]
    }
    for (let n = 100; n < 120; n += 1) {
      ada.say(n)
      bob.say(n + 20)
      ada.say(n + 40, [bob])
      ada.room.latest<object>('positions').set({ n: n + 60 })
      await stage.run(200)
    }
    stage.server.handed = (_client, frame) => [frame]
    const eve = await stage.rawMember('eve', { mode })
    for (const frame of before) eve.take(frame)
    // It is given the keys of what is sealed from now on.
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    for (const frame of before) eve.take(frame)
    expect(before.length).toBeGreaterThan(80)
    expect(eve.text).toContain('{"n":1}')
    expect(eve.text).toContain('{"n":2}')
    const texts = eve.text.match(/\{"n":1\d\d\}/g) ?? []
    // The newest value of a `latest` channel is sealed for it anew: that one it is meant to have.
    expect(new Set(texts)).toEqual(new Set(['{"n":179}']))
    for (const person of [ada, bob]) {
      const keys = eve.member.keysOf(person.id)
      expect(keys.every(({ epoch, step }) => epoch === 1 && step === 1)).toBe(true)
    }
  })

  it('cannot step back: what it is given opens what comes after', async () => {
    const stage = new Stage()
    const { ada } = await stage.two(mode === 'link' ? {} : undefined)
    ada.say(1)
    await stage.run(500)
    const old = stage.server.recordsOf('bob').filter(({ payload }) => payload[0] === 2)
    const eve = await stage.rawMember('eve', { mode })
    ada.say(2)
    await stage.run(500)
    const [given] = eve.member.keysOf(ada.id)
    if (given === undefined) throw new Error('Ada has spoken')
    const tried = [given]
    while (tried.length < 40) tried.push(nextStep(tried.at(-1) ?? given))
    let opened = 0
    for (const { payload } of old) {
      const record = Buffer.from(payload)
      for (const key of tried) {
        for (const name of [key, { ...key, step: 0 }]) {
          try {
            const cipher = groupKey(name, Buffer.from(ada.instance, 'hex'), LOBBY)
            decrypt(cipher, record.subarray(0, 15), Number(record.readBigUInt64BE(7)), record.subarray(15))
            opened += 1
          } catch {
            // As it should be.
          }
        }
      }
    }
    expect(old.length).toBeGreaterThan(0)
    expect(opened).toBe(0)
  })
})
