import { expect, test } from 'vitest'
import { CLOSE } from '../../../signaling/protocol/index.ts'
import type { OpenCarrier } from '../../../web/client/carriers/carrier.ts'
import type { CarrierChoice } from '../../../web/client/carriers/choice.ts'
import { FakeConnection, Scene } from './fake-server.ts'

const CLIMB_MS = 15_000

/** Online by what counts as a lesser carrier; each climb is one more connection. */
function lesser(judge: CarrierChoice['measured'] = () => undefined): { scene: Scene; changes: () => number } {
  let changes = 0
  const better: OpenCarrier = (_server, first, events) => {
    const connection = new FakeConnection(first, events, true)
    scene.connections.push(connection)
    return connection
  }
  const scene: Scene = new Scene({
    choice: {
      better: () => ({ inMs: CLIMB_MS, open: better }),
      changed: () => {
        changes += 1
      },
      measured: (kind, rttMs) => judge(kind, rttMs),
    },
  })
  scene.online().measured()
  return { scene, changes: () => changes }
}

/** The server answers pings on the first carrier. */
function pass(scene: Scene, ms: number): void {
  const [first] = scene.connections
  for (let passed = 0; passed < ms; passed += 1_000) {
    scene.clock.advance(1_000)
    if (first?.closedWith === undefined) {
      first?.say({ t: 'pong', n: first.latest('ping').n, timeMs: scene.clock.nowMs() })
    }
  }
}

test('a better carrier opens beside the one in use, which stays until the welcome comes by the better one', () => {
  const { scene } = lesser()
  const [first] = scene.connections
  pass(scene, CLIMB_MS)
  expect(scene.connections).toHaveLength(2)
  scene.connection.open()
  expect(scene.connection.latest('join').token).toBe('token-1')
  expect(first?.closedWith).toBeUndefined()
  expect(scene.uplink.state).toBe('online')
  scene.welcome({ resumed: true })
  expect(first?.closedWith).toBe(CLOSE.normal)
  expect(scene.uplink.state).toBe('online')
  expect(scene.uplink.reconnections).toBe(0)
  expect(scene.told.slice(-2)).toEqual(['resumed', 'online'])
})

test('one that does not open changes nothing, and another is tried later', () => {
  const { scene } = lesser()
  const [first] = scene.connections
  pass(scene, CLIMB_MS)
  scene.connection.drop()
  expect(first?.closedWith).toBeUndefined()
  expect(scene.connections).toHaveLength(2)
  pass(scene, CLIMB_MS)
  expect(scene.connections).toHaveLength(3)
  expect(scene.told.at(-1)).toBe('online')
})

test('one that opens and does not carry is given up after 10 s', () => {
  const { scene } = lesser()
  const [first] = scene.connections
  pass(scene, CLIMB_MS)
  scene.connection.open()
  pass(scene, 11_000)
  expect(scene.connection.closedWith).toBe(CLOSE.normal)
  expect(first?.closedWith).toBeUndefined()
  expect(scene.uplink.state).toBe('online')
})

test('a session that was taken over by ones own climb goes on by it', () => {
  const { scene } = lesser()
  const [first] = scene.connections
  pass(scene, CLIMB_MS)
  scene.connection.open()
  first?.say({ t: 'bye', code: CLOSE.replaced, reason: 'replaced' })
  expect(scene.uplink.state).toBe('joining')
  scene.welcome({ resumed: true })
  expect(scene.uplink.state).toBe('online')
})

test('a lesser carrier that is quicker is gone to at once, beside the one in use', () => {
  const judged: number[] = []
  const { scene } = lesser((kind, rttMs) => {
    expect(kind).toBe('websocket')
    judged.push(rttMs)
    return judged.length === 3 ? { inMs: 0, open } : undefined
  })
  const open: OpenCarrier = (_server, first, events) => {
    const connection = new FakeConnection(first, events, true)
    scene.connections.push(connection)
    return connection
  }
  pass(scene, 12_000)
  expect(judged.length).toBeGreaterThanOrEqual(3)
  expect(scene.connections).toHaveLength(2)
  scene.connection.open()
  scene.welcome({ resumed: true })
  expect(scene.uplink.reconnections).toBe(0)
  expect(scene.uplink.state).toBe('online')
})

test('another network is told to the choice, a hidden page is none', () => {
  const { scene, changes } = lesser()
  scene.network('hide')
  scene.network('show')
  expect(changes()).toBe(0)
  scene.network('online')
  scene.network('change')
  expect(changes()).toBe(2)
})

test('nothing is tried after leaving', async () => {
  const { scene } = lesser()
  const leaving = scene.uplink.leave()
  scene.connection.drop(1000)
  await leaving
  scene.clock.advance(60_000)
  expect(scene.connections).toHaveLength(1)
  expect(scene.clock.pending()).toBe(0)
})
