import { describe, expect, test } from 'vitest'
import { CLOSE, type ErrorCode } from '../../../signaling/protocol/index.ts'
import { Scene } from './fake-server.ts'

describe('joining', () => {
  test('says join with profile, instance and key, and is online with the welcome, which comes before the state', () => {
    const scene = new Scene()
    scene.online()
    expect(scene.connection.latest('join')).toEqual({
      t: 'join',
      id: 1,
      vMin: 1,
      vMax: 1,
      room: 'lobby',
      profile: { name: 'Ada' },
      instance: '1'.repeat(32),
      joinKey: '2'.repeat(32),
    })
    expect(scene.told).toEqual(['connecting', 'joining', 'joined', 'online'])
  })

  test('guesses the round trip from the opening, and measures it soon after', () => {
    const scene = new Scene()
    scene.uplink.start()
    scene.clock.advance(70)
    scene.connection.open()
    scene.clock.advance(10)
    scene.welcome({ timeMs: 5_000 })
    expect(scene.uplink.rttMs).toBe(40)
    expect(scene.roomClock.now()).toBe(5_020)
    scene.clock.advance(100)
    scene.clock.advance(30)
    scene.pong()
    expect(scene.uplink.rttMs).toBe(30)
  })

  test('takes no join along with every third carrier that does not open', () => {
    const scene = new Scene()
    scene.uplink.start()
    for (let count = 0; count < 5; count += 1) {
      scene.connection.drop()
      scene.clock.advance(10_000)
    }
    expect(scene.connections.map(({ plain }) => plain)).toEqual([false, false, true, false, false, true])
    scene.online()
    scene.connection.drop()
    scene.clock.advance(10_000)
    expect(scene.connection.plain).toBe(false)
  })

  test('gives up a welcome that does not come, and tries again', () => {
    const scene = new Scene()
    scene.uplink.start()
    const first = scene.connection.open()
    scene.clock.advance(10_000)
    expect(first.closedWith).toBe(CLOSE.normal)
    expect(scene.uplink.state).toBe('waiting')
    scene.clock.advance(125)
    expect(scene.connections).toHaveLength(2)
  })

  test.each<[ErrorCode, string]>([
    ['denied', 'denied'],
    ['version-unsupported', 'version-unsupported'],
    ['bad-message', 'protocol'],
    ['too-large', 'too-large'],
    ['room-full', 'room-full'],
    ['server-full', 'server-full'],
  ])('a first join refused with %s is the end', (code, expected) => {
    const scene = new Scene()
    const closed = scene.collect('closed')
    scene.uplink.start()
    scene.connection.open().say({ t: 'error', re: 1, code, message: 'no', fatal: true, retryAfterMs: 700 })
    expect(closed).toMatchObject([{ code: expected, fatal: true }])
    expect(scene.clock.pending()).toBe(0)
  })

  test('a full room ends only a first join: a member that was in keeps asking, when it was told to', () => {
    const scene = new Scene().online()
    scene.connection.drop()
    scene.clock.advance(250)
    scene.connection
      .open()
      .say({ t: 'error', re: 2, code: 'room-full', message: 'no', fatal: true, retryAfterMs: 3_000 })
    expect(scene.uplink.state).toBe('waiting')
    scene.network('online')
    scene.clock.advance(2_999)
    expect(scene.connections).toHaveLength(2)
    scene.clock.advance(501)
    expect(scene.connections).toHaveLength(3)
  })
})
