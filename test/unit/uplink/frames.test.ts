import { describe, expect, test } from 'vitest'
import type { PartylineError } from '../../../web/client/errors.ts'
import { BOB, bytes, Scene, turn } from './fake-server.ts'

describe('frames', () => {
  test('of one turn leave together, and arrive one by one with their senders', async () => {
    const scene = new Scene().online()
    const frames = scene.collect('frame')
    expect(scene.uplink.send({ kind: 'all' }, bytes(1))).toBe(true)
    expect(scene.uplink.send({ kind: 'one', id: BOB }, bytes(2), 7)).toBe(true)
    expect(scene.uplink.queuedBytes()).toBeGreaterThan(0)
    await turn()
    expect(scene.uplink.queuedBytes()).toBe(0)
    expect(scene.connection.packets).toHaveLength(1)
    expect(scene.connection.envelopes()).toMatchObject([
      { kind: 3, payload: bytes(1), slot: undefined },
      { kind: 1, peer: BOB, payload: bytes(2), slot: 7 },
    ])
    scene.connection.frame(BOB, bytes(3))
    expect(frames).toEqual([{ from: BOB, payload: bytes(3), slot: undefined }])
  })

  test('are refused while offline; writable tells when that is over', async () => {
    const scene = new Scene()
    const writable = scene.collect('writable')
    expect(scene.uplink.send({ kind: 'all' }, bytes(1))).toBe(false)
    scene.online()
    await turn()
    expect(writable).toHaveLength(1)
  })

  test('can be sent from the welcome on', async () => {
    const scene = new Scene()
    scene.uplink.on('welcome', () => scene.uplink.send({ kind: 'all' }, bytes(1)))
    scene.online()
    await turn()
    expect(scene.connection.packets).toHaveLength(1)
  })

  test('that wait when the carrier is lost are dropped', async () => {
    const scene = new Scene().online()
    scene.uplink.send({ kind: 'all' }, bytes(1))
    scene.connection.drop()
    scene.clock.advance(125)
    scene.online()
    await turn()
    expect(scene.connection.packets).toEqual([])
  })
})

describe('a server that does not follow the protocol', () => {
  const malformed = [
    '{',
    '[]',
    '{"t":"unheard-of"}',
    '{"t":"pong","n":-1,"timeMs":0}',
    '{"t":"left","version":1,"id":"<script>"}',
  ]

  test.each(malformed)('%s costs the carrier', (text) => {
    const scene = new Scene().online()
    scene.connection.sayRaw(text)
    expect(scene.uplink.state).toBe('waiting')
    scene.clock.advance(125)
    scene.online()
    expect(scene.uplink.state).toBe('online')
  })

  test.each([[bytes(1, 2, 3)], [new Uint8Array(16).fill(3, 0, 1)], [new Uint8Array(16).fill(9)]])(
    'so do bytes that are no frames (%#)',
    (packet) => {
      const scene = new Scene().online()
      scene.connection.bytes(packet)
      expect(scene.uplink.state).toBe('waiting')
    },
  )

  test('five in a row end the room', () => {
    const scene = new Scene().online()
    const closed = scene.collect('closed')
    for (let count = 0; count < 4; count += 1) {
      scene.connection.sayRaw('{')
      scene.clock.advance(10_000)
      scene.online()
    }
    scene.connection.sayRaw('{')
    expect(closed).toMatchObject([{ code: 'protocol', fatal: true }])
    expect((closed[0] as PartylineError).cause).toBeInstanceOf(Error)
  })

  test('a second welcome, a late pong and an answer to nothing change nothing', () => {
    const scene = new Scene().online()
    scene.welcome({ peerId: BOB })
    scene.connection.say({ t: 'pong', n: 77, timeMs: 1 })
    scene.connection.say({ t: 'ok', re: 99 })
    scene.connection.say({ t: 'error', re: 99, code: 'internal', message: '', fatal: false })
    scene.connection.say({ t: 'error', code: 'too-large', message: '', fatal: false })
    expect(scene.told).toEqual(['connecting', 'joining', 'joined', 'online'])
  })
})
