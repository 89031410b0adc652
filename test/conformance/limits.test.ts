import { expect, it } from 'vitest'
import { LIMITS } from '../../signaling/protocol/limits.ts'
import { describeWire, freshRoom, isExternal } from './target.ts'
import { envelope } from './wire-client.ts'

const ENVELOPES: readonly (readonly [string, Uint8Array])[] = [
  ['an empty message', new Uint8Array(0)],
  ['a cut header', new Uint8Array(15)],
  ['an unknown kind', Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['unknown flags', Uint8Array.from([3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['ids where none belong', Uint8Array.from([3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['a length beyond the end', Uint8Array.from([3, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['a list beyond the end', Uint8Array.from([2, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
]

describeWire('malformed and excessive', (target) => {
  it.each([
    ['no JSON', '{', 'bad-message'],
    ['no object', '[]', 'bad-message'],
    ['an unknown message', '{"t":"dance"}', 'bad-message'],
    ['a missing field', '{"t":"join","id":1}', 'bad-message'],
    ['something other than join', '{"t":"ping","n":1}', 'not-joined'],
    ['too much', 'x'.repeat(LIMITS.controlBytes + 1), 'too-large'],
  ])('refuses a first message that is %s', async (_, text, code) => {
    const client = await target.connect(await target.start())
    client.sendRaw(text)
    expect(await client.next('error')).toMatchObject({ code, fatal: true })
    expect(await client.next('bye')).toMatchObject({ code: 4001 })
    expect(await client.closed).toMatchObject({ code: 4001 })
  })

  it.each(ENVELOPES.slice(1))('refuses %s in an envelope and closes with 4001', async (_, bytes) => {
    const client = await target.joined(await target.start(), { room: freshRoom() })
    client.sendRaw(bytes)
    expect(await client.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(await client.closed).toMatchObject({ code: 4001 })
  })

  it('names the bad field', async () => {
    const client = await target.connect(await target.start())
    client.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room: 'x', profile: 1, joinKey: 'a'.repeat(32), instance: 'nope' })
    expect((await client.next('error')).message).toMatch(/^instance: expected 32 hex digits/)
  })

  it('refuses a frame before the join', async () => {
    const client = await target.connect(await target.start())
    client.sendRaw(envelope({ kind: 'all' }, 'early'))
    expect(await client.next('error')).toMatchObject({ code: 'not-joined', fatal: true })
  })

  it('refuses a second join for another room', async () => {
    const client = await target.joined(await target.start(), { room: freshRoom() })
    client.sayJoin({ room: freshRoom() })
    expect(await client.next('error')).toMatchObject({ code: 'already-joined', fatal: true })
  })

  it('answers a message above the limit with words, not with a bare 1006', async () => {
    const client = await target.joined(await target.start(), { room: freshRoom() })
    client.sendRaw(new Uint8Array(LIMITS.packetBytes + 1))
    expect(await client.next('error')).toMatchObject({ code: 'too-large', fatal: true })
    expect(await client.closed).toMatchObject({ code: 4001 })
  })

  it('refuses a profile that is too large, and keeps the connection', async () => {
    const client = await target.joined(await target.start(), { room: freshRoom() })
    client.say({ t: 'profile', id: 3, profile: 'x'.repeat(LIMITS.profileBytes) })
    expect(await client.next('error')).toMatchObject({ re: 3, code: 'too-large', fatal: false })
    await client.settle()
  })

  it('hurts nobody else when a member breaks the protocol', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.joined(server, { room })
    const bob = await target.joined(server, { room })
    const eve = await target.joined(server, { room })
    eve.sendRaw(new Uint8Array(3))
    await eve.closed
    ada.send({ kind: 'all' }, 'business as usual')
    expect((await bob.nextFrame()).payload).toBe('business as usual')
  })

  it.skipIf(isExternal)('closes a connection that does not join', async () => {
    const client = await target.connect(await target.start({ joinTimeoutMs: 150 }))
    expect(await client.next('bye')).toMatchObject({ code: 4000 })
    expect(await client.closed).toMatchObject({ code: 4000 })
  })

  it.skipIf(isExternal)('refuses members above the limit of a room', async () => {
    const server = await target.start({ membersPerRoom: 2 })
    const room = freshRoom()
    await target.joined(server, { room })
    await target.joined(server, { room })
    const third = await target.connect(server)
    third.sayJoin({ room })
    const refusal = await third.next('error')
    expect(refusal).toMatchObject({ code: 'room-full', fatal: true })
    expect(refusal.retryAfterMs).toBeGreaterThan(0)
    expect(await third.closed).toMatchObject({ code: 1013 })
  })

  it.skipIf(isExternal)('refuses rooms above the limit of the server', async () => {
    const server = await target.start({ roomsPerServer: 1 })
    await target.joined(server, { room: freshRoom() })
    const second = await target.connect(server)
    second.sayJoin({ room: freshRoom() })
    expect(await second.next('error')).toMatchObject({ code: 'server-full', fatal: true })
  })

  it.skipIf(isExternal)('counts connections by the real address behind a trusted proxy', async () => {
    const server = await target.start({ connectionsPerAddress: 1, trustedProxies: ['loopback'] })
    const from = (address: string) => target.connect(server, { headers: { 'X-Forwarded-For': `1.1.1.1, ${address}` } })
    const first = await from('198.51.100.1')
    await first.join({ room: freshRoom() })
    const second = await from('198.51.100.1')
    expect(await second.next('error')).toMatchObject({ code: 'too-many-connections', fatal: true })
    expect(await second.closed).toMatchObject({ code: 1013 })
    const third = await from('198.51.100.2')
    await third.join({ room: freshRoom() })
  })

  it.skipIf(isExternal)('holds a sender back that ignores its rate, or closes it with 4006', async () => {
    const server = await target.start({ bytesPerSecond: 65_536 })
    const room = freshRoom()
    const bob = await target.joined(server, { room })
    const eve = await target.joined(server, { room })
    for (let index = 0; index < 400; index += 1) eve.send({ kind: 'all' }, `${index} ${'x'.repeat(16_000)}`)
    // Its burst of two seconds' worth passes at once, in order; the rest waits: at the sender where the engine can stop
    // reading, else at the server, which holds only so much.
    let next = 0
    for (; next < 8; next += 1) expect((await bob.nextFrame()).payload.startsWith(`${next} `)).toBe(true)
    const then = await Promise.race([eve.closed, bob.nextFrame()])
    if ('code' in then) expect(then.code).toBe(4006)
    else expect(then.payload.startsWith('8 ')).toBe(true)
    await bob.settle()
  })

  it.skipIf(isExternal)(
    'drops frames for a reader that does not read, tells their sender, and nobody else waits',
    async () => {
      const server = await target.start({ slowReaderBytes: 65_536 })
      const room = freshRoom()
      const ada = await target.joined(server, { room })
      const bob = await target.joined(server, { room })
      const slow = await target.joined(server, { room })
      slow.pauseReading()
      // Until the kernel's buffers are full too.
      let told = false
      const dropped = ada.next('dropped').then((message) => {
        told = true
        return message
      })
      for (let index = 0; !told && index < 1_000; index += 1) {
        ada.send({ kind: 'all' }, `${index} ${'x'.repeat(60_000)}`)
        expect((await bob.nextFrame()).payload.startsWith(`${index} `)).toBe(true)
      }
      expect(await dropped).toMatchObject({ to: [slow.id], reason: 'slow' })
    },
  )
})
