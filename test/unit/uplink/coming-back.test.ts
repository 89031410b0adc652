import { describe, expect, test } from 'vitest'
import { CLOSE, type ErrorCode } from '../../../signaling/protocol/index.ts'
import { BOB, Scene } from './fake-server.ts'

describe('coming back', () => {
  test('resumes with the token nearly at once after a drop', () => {
    const scene = new Scene().online()
    scene.connection.drop()
    scene.clock.advance(125)
    scene.online()
    expect(scene.connection.latest('join').token).toBe('token-1')
    expect(scene.told.slice(4)).toEqual(['waiting', 'connecting', 'joining', 'resumed', 'online'])
    expect(scene.uplink.reconnections).toBe(1)
  })

  test.each<ErrorCode>(['session-ended', 'token-invalid'])('joins anew, without delay and token, after %s', (code) => {
    const scene = new Scene().online()
    scene.connection.drop()
    scene.clock.advance(125)
    const refused = scene.connection.open()
    refused.say({ t: 'error', re: refused.latest('join').id, code, message: '', fatal: true })
    scene.online({ peerId: BOB })
    const join = scene.connection.latest('join')
    expect(join.token).toBeUndefined()
    expect(join.joinKey).toBe('2'.repeat(32))
    expect(scene.told.slice(-2)).toEqual(['rejoined', 'online'])
  })

  test('joins anew when an online session is closed as over', () => {
    const scene = new Scene().online()
    scene.connection.drop(CLOSE.sessionEnded)
    scene.online({ peerId: BOB })
    expect(scene.told.slice(4)).toEqual(['connecting', 'joining', 'rejoined', 'online'])
  })

  test('without a token, session-ended is like any failure: no hot loop', () => {
    const scene = new Scene()
    scene.uplink.start()
    scene.connection.open().drop(CLOSE.sessionEnded)
    expect(scene.uplink.state).toBe('waiting')
  })

  test('backs off with full jitter, doubling to 10 s, and starts anew after a good spell', () => {
    const scene = new Scene()
    scene.jitter = 0.999_999
    scene.uplink.start()
    const delays = Array.from({ length: 8 }, () => {
      const before = scene.clock.now()
      const count = scene.connections.length
      scene.connection.drop()
      while (scene.connections.length === count) scene.clock.advance(1)
      return scene.clock.now() - before
    })
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    scene.online()
    scene.clock.advance(5_000)
    scene.connection.drop()
    scene.clock.advance(250)
    expect(scene.connections).toHaveLength(10)
  })

  test('while its grace lasts, a member that was well is never away for long by its own back-off', () => {
    const scene = new Scene().online().measured()
    scene.clock.advance(4_000)
    scene.jitter = 0.999_999
    scene.connection.drop()
    const startMs = scene.clock.now()
    const tries: number[] = []
    while (scene.clock.now() - startMs < 60_000) {
      const count = scene.connections.length
      while (scene.connections.length === count) scene.clock.advance(1)
      tries.push(scene.clock.now() - startMs)
      scene.connection.drop()
    }
    const gaps = tries.map((at, index) => at - (tries[index - 1] ?? 0))
    expect(Math.max(...gaps.filter((_, index) => (tries[index] as number) < 5_000))).toBe(500)
    expect(Math.max(...gaps.filter((_, index) => (tries[index] as number) < 20_000))).toBe(2_000)
    expect(gaps.at(-1)).toBe(10_000)
  })

  test('an opening that takes far longer than the round trip is not waited for', () => {
    const scene = new Scene().online().measured()
    scene.connection.drop()
    scene.clock.advance(125)
    scene.clock.advance(399)
    expect(scene.connections).toHaveLength(2)
    scene.clock.advance(1)
    expect(scene.connections).toHaveLength(3)
    expect(scene.connections[1]?.closedWith).toBe(CLOSE.normal)
  })

  test('signs that the network works end the wait, unless the server asked for it', () => {
    const scene = new Scene().online()
    scene.uplink.hurry()
    expect(scene.connections).toHaveLength(1)
    scene.connection.drop()
    scene.uplink.hurry()
    expect(scene.uplink.state).toBe('connecting')
    scene.online()
    scene.connection.say({ t: 'bye', code: CLOSE.restart, reason: 'restart', retryAfterMs: 800 })
    scene.uplink.hurry()
    expect(scene.uplink.state).toBe('waiting')
  })

  test('a server that welcomes and drops at once does not get a hot loop', () => {
    const scene = new Scene().online()
    for (let round = 0; round < 6; round += 1) {
      scene.connection.drop()
      scene.clock.advance(10_000)
      scene.online()
    }
    scene.connection.drop()
    scene.clock.advance(4_900)
    expect(scene.uplink.state).toBe('waiting')
  })

  test('a bye says when to come back, also where the carrier has no close codes', () => {
    const scene = new Scene().online()
    scene.connection.say({ t: 'bye', code: CLOSE.restart, reason: 'restart', retryAfterMs: 800 })
    scene.clock.advance(799)
    expect(scene.uplink.state).toBe('waiting')
    scene.clock.advance(126)
    expect(scene.uplink.state).toBe('connecting')
  })

  test.each([
    [CLOSE.replaced, 'replaced'],
    [CLOSE.refused, 'denied'],
    [CLOSE.removed, 'removed'],
    [CLOSE.badMessage, 'protocol'],
  ])('close code %d is the end, and leaves nothing running', async (code, expected) => {
    const scene = new Scene().online()
    const profile = scene.uplink.setProfile(1)
    scene.connection.drop(code)
    await expect(profile).rejects.toMatchObject({ code: expected })
    expect(scene.told.slice(-2)).toEqual(['closed', `closed: ${expected}`])
    expect(scene.clock.pending()).toBe(0)
    scene.network('online')
    expect(scene.connections).toHaveLength(1)
  })

  test('when the network calls, it does not wait', () => {
    const scene = new Scene().online()
    scene.connection.drop()
    scene.network('online')
    expect(scene.uplink.state).toBe('connecting')
    // One attempt is enough, unless it seems stuck.
    scene.network('change')
    expect(scene.connections).toHaveLength(2)
  })

  test('when the network calls, a first opening that seems stuck is given up', () => {
    const scene = new Scene()
    scene.uplink.start()
    scene.clock.advance(1_001)
    scene.network('show')
    expect(scene.connections).toHaveLength(2)
    expect(scene.connections[0]?.closedWith).toBe(CLOSE.normal)
  })
})
