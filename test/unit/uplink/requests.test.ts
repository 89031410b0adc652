import { describe, expect, test } from 'vitest'
import { BOB, bytes, member, Scene, turn } from './fake-server.ts'

describe('requests', () => {
  test('a profile resolves when the server has it', async () => {
    const scene = new Scene().online()
    let done = false
    const set = scene.uplink.setProfile({ name: 'Eve' }).then(() => {
      done = true
    })
    await turn()
    expect(done).toBe(false)
    scene.connection.say({ t: 'ok', re: scene.connection.latest('profile').id })
    await set
    scene.connection.drop()
    scene.clock.advance(125)
    scene.connection.open()
    expect(scene.connection.latest('join').profile).toEqual({ name: 'Eve' })
  })

  test('a profile set while offline is sent after the welcome; only the newest of several, whose promise they share', async () => {
    const scene = new Scene()
    const older = scene.uplink.setProfile(1)
    const newer = scene.uplink.setProfile(2)
    scene.online()
    expect(scene.connection.count('profile')).toBe(1)
    expect(scene.connection.latest('profile').profile).toBe(2)
    scene.connection.say({ t: 'ok', re: scene.connection.latest('profile').id })
    await Promise.all([older, newer])
  })

  test('an unanswered request is repeated on the next carrier', async () => {
    const scene = new Scene().online()
    const set = scene.uplink.setProfile(1)
    scene.connection.drop()
    scene.clock.advance(125)
    scene.online()
    scene.connection.say({ t: 'ok', re: scene.connection.latest('profile').id })
    await set
  })

  test('a refused profile rejects, and is not what the next join says', async () => {
    const scene = new Scene().online()
    const set = scene.uplink.setProfile('x'.repeat(100))
    const re = scene.connection.latest('profile').id
    scene.connection.say({ t: 'error', re, code: 'too-large', message: 'profile', fatal: false })
    await expect(set).rejects.toMatchObject({ code: 'too-large', fatal: false })
    expect(scene.uplink.state).toBe('online')
    scene.connection.drop()
    scene.clock.advance(125)
    scene.connection.open()
    expect(scene.connection.latest('join').profile).toEqual({ name: 'Ada' })
  })

  test('a snapshot is asked for once, and comes as a message', () => {
    const scene = new Scene().online()
    const messages = scene.collect('message')
    scene.uplink.snapshot()
    scene.uplink.snapshot()
    expect(scene.connection.count('snapshot')).toBe(1)
    const snapshot = { t: 'snapshot', re: scene.connection.latest('snapshot').id, epoch: 'first', version: 4 } as const
    scene.connection.say({ ...snapshot, members: [member(BOB)] })
    expect(messages).toEqual([{ ...snapshot, members: [member(BOB)] }])
    scene.uplink.snapshot()
    expect(scene.connection.count('snapshot')).toBe(2)
  })

  test('what comes before the welcome is not passed on', () => {
    const scene = new Scene()
    const messages = scene.collect('message')
    const frames = scene.collect('frame')
    scene.uplink.start()
    scene.connection.open()
    scene.connection.say({ t: 'changed', version: 9, id: BOB, presence: 'away' })
    scene.connection.frame(BOB, bytes(1))
    expect([messages, frames]).toEqual([[], []])
    expect(scene.uplink.state).toBe('joining')
  })
})

describe('credentials', () => {
  const turnServer = { urls: ['turn:turn.test'], username: 'u', credential: 'c' }
  const renewed = (scene: Scene, token: string): void =>
    scene.connection.say({
      t: 'renewed',
      re: scene.connection.latest('renew').id,
      token,
      tokenExpiresAtMs: scene.clock.nowMs() + 3_600_000,
      iceServers: [turnServer, turnServer],
      iceExpiresAtMs: scene.clock.nowMs() + 3_600_000,
    })
  const advanceWithPongs = (scene: Scene, ms: number): void => {
    for (let left = ms; left > 0; left -= 5_000) {
      scene.clock.advance(Math.min(left, 5_000))
      if (left >= 5_000) scene.pong()
    }
  }

  test('are renewed before the first of them ends', () => {
    const scene = new Scene()
    scene.online({ iceServers: [turnServer], iceExpiresAtMs: scene.clock.nowMs() + 1_000_000 })
    advanceWithPongs(scene, 745_000)
    expect(scene.connection.count('renew')).toBe(0)
    advanceWithPongs(scene, 5_000)
    expect(scene.connection.count('renew')).toBe(1)
    renewed(scene, 'token-2')
    scene.connection.drop()
    scene.clock.advance(125)
    scene.connection.open()
    expect(scene.connection.latest('join').token).toBe('token-2')
  })

  test('ICE servers at hand serve while they are fresh, then new ones are asked for', async () => {
    const scene = new Scene().online({ iceServers: [turnServer] })
    expect(await scene.uplink.freshIceServers()).toEqual([turnServer])
    expect(scene.connection.count('renew')).toBe(0)
    advanceWithPongs(scene, 245_000)
    const fresh = scene.uplink.freshIceServers()
    renewed(scene, 'token-2')
    expect(await fresh).toHaveLength(2)
  })

  test('without an answer in 2 s, those at hand have to do', async () => {
    const scene = new Scene().online({ iceServers: [turnServer] })
    advanceWithPongs(scene, 245_000)
    const fresh = scene.uplink.freshIceServers()
    scene.clock.advance(2_000)
    expect(await fresh).toEqual([turnServer])
  })
})

describe('a page that hides', () => {
  test('asks for a short grace, and for the whole one when it is back', () => {
    const scene = new Scene().online()
    scene.network('hide')
    expect(scene.connection.latest('grace').graceMs).toBe(3_000)
    scene.network('show')
    expect(scene.connection.latest('grace').graceMs).toBe(20_000)
    expect(scene.connection.count('ping')).toBe(1)
    scene.network('show')
    expect(scene.connection.count('grace')).toBe(2)
  })

  test('says so again on a new carrier', () => {
    const scene = new Scene().online()
    scene.connection.drop()
    scene.network('hide')
    scene.clock.advance(125)
    scene.online()
    expect(scene.connection.latest('grace').graceMs).toBe(3_000)
  })
})
