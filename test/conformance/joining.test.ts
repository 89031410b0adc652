import { expect, it } from 'vitest'
import { LIMITS } from '../../signaling/protocol/limits.ts'
import { describeWire, freshRoom, isExternal } from './target.ts'

describeWire('joining', (target) => {
  it('welcomes with an id, a token, the members, ICE servers and limits', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.joined(server, { room, profile: { name: 'Ada' } })
    const bob = await target.connect(server)
    const welcome = await bob.join({ room, profile: { name: 'Bob' } })
    expect(welcome).toMatchObject({ v: 1, room, resumed: false })
    expect(welcome.peerId).toMatch(/^[0-9a-f]{16}$/)
    expect(welcome.token.length).toBeGreaterThan(20)
    expect(welcome.tokenExpiresAtMs).toBeGreaterThan(welcome.timeMs)
    expect(welcome.iceExpiresAtMs).toBeGreaterThan(welcome.timeMs)
    expect(welcome.limits.frameBytes).toBeGreaterThanOrEqual(20_480)
    expect(welcome.members).toEqual([
      { id: ada.id, instance: ada.instance, profile: { name: 'Ada' }, presence: 'here' },
    ])
    expect(await ada.next('joined')).toMatchObject({
      member: { id: welcome.peerId, instance: bob.instance, profile: { name: 'Bob' }, presence: 'here' },
    })
  })

  it('shows the announcement of keys as it came, to who is there and to who comes', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.joined(server, { room, seal: 'QURB-_0' })
    const bob = await target.connect(server)
    const welcome = await bob.join({ room, seal: 'x'.repeat(LIMITS.sealChars) })
    expect(welcome.members).toMatchObject([{ id: ada.id, seal: 'QURB-_0' }])
    expect(await ada.next('joined')).toMatchObject({ member: { seal: 'x'.repeat(LIMITS.sealChars) } })
    ada.say({ t: 'snapshot', id: 9 })
    expect((await ada.next('snapshot')).members).toMatchObject([{ seal: 'x'.repeat(LIMITS.sealChars) }])
    bob.drop()
    await ada.next('changed')
    const again = await target.connect(server)
    const { instance, joinKey } = bob
    await again.join({ room, token: welcome.token, instance, joinKey, seal: 'other' })
    expect(await ada.next('changed')).toMatchObject({ id: welcome.peerId, presence: 'here', seal: 'other' })
  })

  it('refuses an announcement that is too long, empty, or no base64url', async () => {
    const server = await target.start()
    for (const seal of ['x'.repeat(LIMITS.sealChars + 1), '', 'a+b', 'a=']) {
      const ada = await target.connect(server)
      ada.sayJoin({ room: freshRoom(), seal })
      expect(await ada.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
    }
  })

  it('numbers membership events consecutively', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.connect(server)
    const { version } = await ada.join({ room })
    const bob = await target.joined(server, { room })
    bob.say({ t: 'profile', id: bob.request(), profile: { mood: 'fine' } })
    await bob.next('ok')
    bob.say({ t: 'leave', id: bob.request() })
    expect((await ada.next('joined')).version).toBe(version + 1)
    expect(await ada.next('changed')).toMatchObject({ version: version + 2, id: bob.id, profile: { mood: 'fine' } })
    expect(await ada.next('left')).toMatchObject({ version: version + 3, id: bob.id, reason: 'left' })
  })

  it('answers a deliberate leave with ok and closes with 1000', async () => {
    const server = await target.start()
    const ada = await target.joined(server, { room: freshRoom() })
    const id = ada.request()
    ada.say({ t: 'leave', id })
    expect(await ada.next('ok')).toMatchObject({ re: id })
    expect(await ada.next('bye')).toMatchObject({ code: 1000 })
    expect(await ada.closed).toMatchObject({ code: 1000 })
  })

  it('gives a snapshot that agrees with the events', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.joined(server, { room })
    const bob = await target.joined(server, { room, profile: 7 })
    const { version } = await ada.next('joined')
    ada.say({ t: 'snapshot', id: 77 })
    expect(await ada.next('snapshot')).toMatchObject({ re: 77, version, members: [{ id: bob.id, profile: 7 }] })
  })

  it('renews the token and the ICE credentials', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.joined(server, { room })
    ada.say({ t: 'renew', id: 5 })
    const renewed = await ada.next('renewed')
    expect(renewed.re).toBe(5)
    ada.drop()
    const again = await target.connect(server)
    const welcome = await again.join({ room, token: renewed.token, instance: ada.instance })
    expect(welcome).toMatchObject({ resumed: true, peerId: ada.id })
  })

  it('answers ping with the clock', async () => {
    const server = await target.start()
    const ada = await target.joined(server, { room: freshRoom() })
    ada.say({ t: 'ping', n: 41, rttMs: 12.5 })
    const pong = await ada.next('pong')
    expect(pong.n).toBe(41)
    expect(Math.abs(pong.timeMs - Date.now())).toBeLessThan(isExternal ? 600_000 : 10_000)
  })

  it('repeats the welcome when the same join comes again', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.connect(server)
    const first = await ada.join({ room })
    const second = await ada.join({ room })
    expect(second.peerId).toBe(first.peerId)
    expect(second.version).toBe(first.version)
  })

  it('takes a join whose answer was lost, on a new connection, for the same member', async () => {
    const server = await target.start()
    const room = freshRoom()
    const first = await target.connect(server)
    const { peerId } = await first.join({ room })
    first.drop()
    const second = await target.connect(server)
    const welcome = await second.join({ room, instance: first.instance, joinKey: first.joinKey })
    expect(welcome.peerId).toBe(peerId)
  })

  it('speaks the newest common version and refuses when there is none', async () => {
    const server = await target.start()
    const modern = await target.connect(server)
    expect((await modern.join({ room: freshRoom(), vMin: 1, vMax: 900 })).v).toBe(1)
    const future = await target.connect(server)
    future.sayJoin({ room: freshRoom(), vMin: 60_000, vMax: 60_001 })
    expect(await future.next('error')).toMatchObject({ code: 'version-unsupported', fatal: true })
    expect(await future.closed).toMatchObject({ code: 4003 })
  })

  it('keeps rooms apart', async () => {
    const server = await target.start()
    const ada = await target.joined(server, { room: freshRoom() })
    const bob = await target.connect(server)
    expect((await bob.join({ room: freshRoom() })).members).toEqual([])
    await ada.settle()
    expect(ada.unread).toEqual([])
  })

  it('takes names of any script up to the limit', async () => {
    const server = await target.start()
    const ada = await target.connect(server)
    const room = `ç-${crypto.randomUUID()}-${'日本'.repeat(14)}`
    expect((await ada.join({ room, profile: '👋🏽'.repeat(40) })).room).toBe(room)
    const bob = await target.connect(server)
    bob.sayJoin({ room: 'x'.repeat(LIMITS.roomNameBytes + 1) })
    expect(await bob.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
  })
})
