import { describe, expect, test } from 'vitest'
import { CLOSE } from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../../../web/client/clock.ts'
import { Heartbeat } from '../../../web/client/uplink/heartbeat.ts'
import { BOB, bytes, Scene } from './fake-server.ts'

describe('pings', () => {
  test('every 5 s, with the round trip measured last', () => {
    const scene = new Scene().online()
    scene.clock.advance(100)
    scene.clock.advance(2)
    scene.pong()
    scene.clock.advance(5_000)
    scene.clock.advance(82)
    scene.pong()
    expect(scene.uplink.rttMs).toBe(12)
    scene.clock.advance(5_000)
    expect(scene.connection.latest('ping')).toEqual({ t: 'ping', n: 3, rttMs: 12 })
  })

  test('unanswered: the carrier is abandoned', () => {
    const scene = new Scene().online().measured()
    const first = scene.connection
    scene.clock.advance(11_000)
    expect(first.closedWith).toBe(CLOSE.normal)
    expect(scene.told.at(-1)).toBe('waiting')
  })

  test('a probe is given up after 1 s, or four round trips, and does not wait longer for being repeated', () => {
    const scene = new Scene().online()
    const first = scene.connection
    scene.uplink.probe()
    expect(first.count('ping')).toBe(1)
    scene.clock.advance(600)
    scene.uplink.probe()
    expect(first.count('ping')).toBe(1)
    scene.clock.advance(399)
    expect(scene.uplink.state).toBe('online')
    scene.clock.advance(1)
    expect(first.closedWith).toBe(CLOSE.normal)
    expect(scene.uplink.state).toBe('connecting')
  })

  test('a probe does not wait for an earlier ping that is patient', () => {
    const scene = new Scene().online().measured()
    const first = scene.connection
    scene.clock.advance(5_500)
    scene.network('change')
    scene.clock.advance(1_000)
    expect(first.closedWith).toBe(CLOSE.normal)
  })

  test('a pong that was lost alone is asked for again, and a late one counts, too', () => {
    const scene = new Scene().online().measured()
    const { connection } = scene
    scene.clock.advance(5_000)
    const first = connection.latest('ping').n
    connection.frame(BOB, bytes(1))
    scene.clock.advance(6_000)
    expect(connection.latest('ping').n).toBe(first + 1)
    connection.say({ t: 'pong', n: first, timeMs: scene.clock.nowMs() })
    scene.clock.advance(20_000)
    expect(connection.closedWith).toBe(CLOSE.normal)
    expect(connection.latest('ping').n).toBe(first + 2)
  })

  test('a carrier on which anything still moves is not abandoned, for 20 s', () => {
    const scene = new Scene().online()
    const { connection } = scene
    scene.uplink.probe()
    for (let second = 0; second < 19; second += 1) {
      scene.clock.advance(999)
      if (second % 2 === 0) connection.frame(BOB, bytes(1))
      else connection.buffered = 1_000_000 - second
      if (second === 0) connection.buffered = 1_000_000
    }
    scene.clock.advance(500)
    expect(scene.uplink.state).toBe('online')
    scene.clock.advance(3_000)
    expect(connection.closedWith).toBe(CLOSE.normal)
  })

  test('after a freeze, the timer that is late is no proof: it asks once more', () => {
    let nowMs = 0
    let due = (): void => undefined
    const clock = {
      now: () => nowMs,
      setTimeout: (callback: () => void) => {
        due = callback
        return {} as TimerHandle
      },
      clearTimeout: () => undefined,
    }
    const told: string[] = []
    const heartbeat = new Heartbeat({
      clock,
      ping: (n) => told.push(`ping ${n}`),
      bufferedBytes: () => 0,
      sample: () => undefined,
      suspect: () => undefined,
      dead: () => told.push('dead'),
    })
    heartbeat.start(0, 20)
    nowMs = 5_000
    due()
    nowMs = 600_000
    due()
    expect(told).toEqual(['ping 1', 'ping 2'])
    nowMs = 660_000
    due()
    expect(told).toEqual(['ping 1', 'ping 2', 'dead'])
  })
})
