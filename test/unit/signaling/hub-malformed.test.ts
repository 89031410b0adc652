import { describe, expect, it } from 'vitest'
import fc from '../../support/properties.ts'
import { concat, envelope, World } from './hub-world.ts'

describe('a malformed message', () => {
  it.each([
    ['not JSON', '{', 'message'],
    ['no object', '[]', 'message'],
    ['an unknown kind', { t: 'shout' }, 't'],
    ['no request id', { t: 'renew' }, 'id'],
    ['a wrong type', { t: 'ping', n: 'one' }, 'n'],
    ['a missing profile', { t: 'profile', id: 1 }, 'profile'],
  ])('after the welcome is named and closes the uplink: %s', (_, message, field) => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    ada.say(message)
    expect(ada.last('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(ada.last('error').message).toMatch(new RegExp(`^${field}: `))
    expect(ada.last('bye').code).toBe(4001)
    expect(ada.uplink.closedWith?.code).toBe(4001)
    expect(bob.uplink.closedWith).toBeUndefined()
    // It is away, not gone: a client that was upgraded meanwhile may resume.
    expect(bob.last('changed').presence).toBe('away')
  })

  it.each([
    ['room', { room: '' }],
    ['room', { room: 'ä'.repeat(65) }],
    ['instance', { instance: 'x' }],
    ['joinKey', { joinKey: 1 }],
    ['vMax', { vMax: 0 }],
    ['token', { token: '' }],
    ['profile', { profile: undefined }],
  ])('in join names the field %s', (field, parts) => {
    const world = new World()
    const client = world.connect()
    client.join(parts)
    expect(client.last('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(client.last('error').message).toMatch(new RegExp(`^${field}: `))
    expect(client.uplink.closedWith?.code).toBe(4001)
    expect(world.hub.stats().members).toBe(0)
  })

  it('ignores fields it does not know', () => {
    const client = new World().connect()
    client.join({ colour: 'red' })
    expect(client.messages('welcome')).toHaveLength(1)
  })

  it.each([
    ['text', 'x'.repeat(16_385)],
    ['text in bytes', `"${'ä'.repeat(8_192)}"`],
    ['packet', new Uint8Array(262_145)],
    ['payload', envelope({ kind: 'all' }, new Uint8Array(65_537))],
  ])('is told apart when it is too large: %s', (_, message) => {
    const world = new World()
    const ada = world.enter()
    ada.uplink.receive(message)
    expect(ada.last('error')).toMatchObject({ code: 'too-large', fatal: true })
    expect(ada.uplink.closedWith?.code).toBe(4001)
  })

  it.each([
    ['a header cut short', new Uint8Array(15)],
    ['a payload cut short', envelope({ kind: 'all' }, 'abc').subarray(0, 18)],
    ['ids cut short', envelope({ kind: 'except', ids: [] }, '').fill(1, 2, 4)],
  ])('of binary kind closes the uplink: %s', (_, bytes) => {
    const ada = new World().enter()
    ada.uplink.receive(bytes)
    expect(ada.last('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(ada.uplink.closedWith?.code).toBe(4001)
  })

  it('takes an empty binary message for no frames', () => {
    const ada = new World().enter()
    ada.uplink.receive(new Uint8Array(0))
    expect(ada.uplink.closedWith).toBeUndefined()
  })

  it('nested deeply is no defect of ours', () => {
    const world = new World()
    const ada = world.enter()
    ada.say(`{"t":"profile","id":1,"profile":${'['.repeat(8_000)}${']'.repeat(8_000)}}`)
    expect(world.defects).toEqual([])
    expect(ada.last('error')).toMatchObject({ code: 'bad-message', fatal: true })
    const bob = world.enter('lobby', JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`))
    expect(bob.messages('welcome')).toHaveLength(1)
  })

  it('is the last that is heard of its uplink', () => {
    const world = new World()
    const [ada, bob] = [world.enter(), world.enter()]
    ada.say('{')
    ada.all('still here')
    ada.say({ t: 'ping', n: 1 })
    expect(bob.texts()).toEqual([])
    expect(ada.messages('pong')).toEqual([])
    expect(ada.messages('bye')).toHaveLength(1)
  })

  it('of any bytes or text never throws, never hurts the room, and never reaches another as anything but frames', () => {
    const world = new World()
    const bob = world.enter()
    const valid = concat([envelope({ kind: 'all' }, 'hello'), envelope({ kind: 'several', ids: [bob.id] }, 'you', 7)])
    const texts = [
      {
        t: 'join',
        id: 1,
        vMin: 1,
        vMax: 1,
        room: 'lobby',
        profile: {},
        instance: 'a'.repeat(32),
        joinKey: 'b'.repeat(32),
      },
      { t: 'profile', id: 2, profile: { name: 'x' } },
      { t: 'grace', graceMs: 5 },
      { t: 'leave', id: 3 },
    ].map((message) => JSON.stringify(message))
    const mutatedBytes = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
      .map(([at, value, length]) => {
        const bytes = valid.slice(0, length)
        if (at < length) bytes[at] = value
        return bytes
      })
    const mutatedText = fc
      .tuple(fc.constantFrom(...texts), fc.nat(120), fc.string({ maxLength: 3 }))
      .map(([text, at, insert]) => text.slice(0, at) + insert + text.slice(at + insert.length))
    const anything = fc.oneof(mutatedBytes, mutatedText, fc.uint8Array({ maxLength: 64 }), fc.string(), fc.json())
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), fc.boolean(), (messages, joins) => {
        const client = joins ? world.enter() : world.connect()
        for (const message of messages) client.uplink.receive(message)
        client.uplink.drop()
        world.settle()
        world.clock.advance(20_001)
        expect(bob.uplink.closedWith).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
    bob.frames()
    expect(world.defects).toEqual([])
    expect(world.hub.stats()).toMatchObject({ connections: 1, members: 1, rooms: 1, away: 0 })
    expect(world.clock.pending()).toBe(0)
  })
})
