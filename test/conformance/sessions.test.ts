import { expect, it } from 'vitest'
import type { PeerId } from '../../signaling/protocol/ids.ts'
import { describeWire, freshRoom, isExternal } from './target.ts'

describeWire('sessions', (target) => {
  it('resumes as the same member after a dropped connection', async () => {
    const server = await target.start()
    const room = freshRoom()
    const bob = await target.joined(server, { room })
    const ada = await target.connect(server)
    const first = await ada.join({ room, profile: 'Ada' })
    await bob.next('joined')
    ada.drop()
    expect(await bob.next('changed')).toMatchObject({ id: first.peerId, presence: 'away' })
    const again = await target.connect(server)
    const second = await again.join({ room, profile: 'Ada', token: first.token, instance: ada.instance })
    expect(second).toMatchObject({ resumed: true, peerId: first.peerId, epoch: first.epoch })
    expect(await bob.next('changed')).toMatchObject({ id: first.peerId, presence: 'here' })
    bob.send({ kind: 'one', id: first.peerId }, 'still there?')
    expect((await again.nextFrame()).payload).toBe('still there?')
  })

  it('closes the older connection of a session with 4002', async () => {
    const server = await target.start()
    const room = freshRoom()
    const older = await target.connect(server)
    const { token } = await older.join({ room })
    const newer = await target.connect(server)
    expect(await newer.join({ room, token, instance: older.instance })).toMatchObject({ resumed: true })
    expect(await older.next('bye')).toMatchObject({ code: 4002 })
    expect(await older.closed).toMatchObject({ code: 4002 })
    await newer.settle()
  })

  it('refuses altered and foreign tokens', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.connect(server)
    const { token } = await ada.join({ room })
    const flipped = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`
    for (const attempt of [
      { room, token: flipped, instance: ada.instance },
      { room, token: 'nonsense', instance: ada.instance },
      { room: freshRoom(), token, instance: ada.instance },
      { room, token },
    ]) {
      const thief = await target.connect(server)
      thief.sayJoin(attempt)
      expect(await thief.next('error')).toMatchObject({ code: 'token-invalid', fatal: true })
      expect(await thief.closed).toMatchObject({ code: 4007 })
    }
  })

  it('refuses the token of a member who has left', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.connect(server)
    const { token } = await ada.join({ room })
    ada.say({ t: 'leave', id: 9 })
    await ada.closed
    const again = await target.connect(server)
    again.sayJoin({ room, token, instance: ada.instance })
    expect(await again.next('error')).toMatchObject({ code: 'session-ended', fatal: true })
    expect(await again.closed).toMatchObject({ code: 4007 })
  })

  it('honours a shorter grace period that was asked for', async () => {
    const server = await target.start()
    const room = freshRoom()
    const bob = await target.joined(server, { room })
    const ada = await target.joined(server, { room })
    ada.say({ t: 'grace', graceMs: 50 })
    await ada.settle()
    ada.drop()
    expect(await bob.next('left')).toMatchObject({ id: ada.id, reason: 'expired' })
  })

  it.skipIf(isExternal)('lets a member go when its grace period has passed', async () => {
    const server = await target.start({ graceMs: 100 })
    const room = freshRoom()
    const bob = await target.joined(server, { room })
    const ada = await target.joined(server, { room })
    ada.drop()
    expect(await bob.next('changed')).toMatchObject({ id: ada.id, presence: 'away' })
    expect(await bob.next('left')).toMatchObject({ id: ada.id, reason: 'expired' })
  })

  it.skipIf(isExternal)('resumes after a restart of the server with the same data folder', async () => {
    const dataFolder = await target.folder()
    const room = freshRoom()
    const before = await target.start({ dataFolder })
    const ada = await target.connect(before)
    const first = await ada.join({ room })
    const gone = await target.connect(before)
    const { token: goneToken } = await gone.join({ room })
    gone.say({ t: 'leave', id: 1 })
    await gone.closed
    await before.close({ restart: true })
    expect(await ada.closed).toMatchObject({ code: 1012 })

    const after = await target.start({ dataFolder })
    const again = await target.connect(after)
    const second = await again.join({ room, token: first.token, instance: ada.instance })
    expect(second).toMatchObject({ resumed: true, peerId: first.peerId })
    expect(second.epoch).not.toBe(first.epoch)
    const ghost = await target.connect(after)
    ghost.sayJoin({ room, token: goneToken, instance: gone.instance })
    expect(await ghost.next('error')).toMatchObject({ code: 'session-ended' })
  })

  it.skipIf(isExternal)('does not resume on a server with another key', async () => {
    const room = freshRoom()
    const ada = await target.connect(await target.start())
    const { token } = await ada.join({ room })
    const other = await target.connect(await target.start())
    other.sayJoin({ room, token, instance: ada.instance })
    expect(await other.next('error')).toMatchObject({ code: 'token-invalid' })
  })

  it.skipIf(isExternal).each([
    { restart: true, code: 1012 },
    { restart: false, code: 1001 },
  ])('closes with $code when it goes away (restart: $restart)', async ({ restart, code }) => {
    const server = await target.start()
    const ada = await target.joined(server, { room: freshRoom() })
    const silent = await target.connect(server)
    const closing = server.close({ restart })
    const bye = await ada.next('bye')
    expect(bye.code).toBe(code)
    expect(bye.retryAfterMs).toBeGreaterThan(0)
    expect(await ada.closed).toMatchObject({ code })
    expect(await silent.closed).toMatchObject({ code })
    await closing
    await expect(target.connect(server)).rejects.toThrow(/ECONNREFUSED/)
  })

  it('delivers to a member that resumed on another connection at once', async () => {
    const server = await target.start()
    const room = freshRoom()
    const ada = await target.connect(server)
    const { token, peerId } = await ada.join({ room })
    const bob = await target.joined(server, { room })
    const again = await target.connect(server)
    await again.join({ room, token, instance: ada.instance })
    bob.send({ kind: 'one', id: peerId as PeerId }, 'to the new one')
    expect((await again.nextFrame()).payload).toBe('to the new one')
    expect(ada.unreadFrames).toEqual([])
  })
})
