import { describe, expect, test } from 'vitest'
import { CLOSE } from '../../../signaling/protocol/index.ts'
import { ADA, bytes, Scene } from './fake-server.ts'

describe('leaving', () => {
  test('sends what the turn sent, then leave, and is over when the server knows', async () => {
    const scene = new Scene().online()
    scene.uplink.send({ kind: 'all' }, bytes(1))
    const left = scene.uplink.leave()
    expect(scene.connection.packets).toHaveLength(1)
    scene.connection.say({ t: 'ok', re: scene.connection.latest('leave').id })
    await left
    expect(scene.told.slice(-2)).toEqual(['closed', 'closed: undefined'])
    expect(scene.clock.pending()).toBe(0)
    await scene.uplink.leave()
    await expect(scene.uplink.setProfile(1)).rejects.toMatchObject({ code: 'closed' })
  })

  test('is over with the close, too, whichever comes first', async () => {
    const scene = new Scene().online()
    const left = scene.uplink.leave()
    scene.connection.drop(CLOSE.normal)
    await left
    expect(scene.connections).toHaveLength(1)
  })

  test('comes back to say it when the carrier drops, and gives up after 2 s', async () => {
    const scene = new Scene().online()
    const left = scene.uplink.leave()
    scene.connection.drop()
    scene.clock.advance(125)
    scene.online()
    expect(scene.connection.count('leave')).toBe(1)
    scene.clock.advance(1_875)
    await left
    expect(scene.connection.count('leave')).toBe(1)
    expect(scene.clock.pending()).toBe(0)
  })

  test('while waiting, it is over at once', async () => {
    const scene = new Scene().online()
    scene.connection.drop()
    await scene.uplink.leave()
    expect(scene.clock.pending()).toBe(0)
  })

  test('before the server has heard of us, it is over at once; later, a new carrier is waited for', async () => {
    const early = new Scene()
    early.uplink.start()
    await early.uplink.leave()
    expect(early.clock.pending()).toBe(0)
    const later = new Scene().online()
    later.connection.drop()
    later.clock.advance(125)
    const left = later.uplink.leave()
    later.online()
    expect(later.connection.count('leave')).toBe(1)
    later.connection.drop(CLOSE.normal)
    await left
  })

  test('close says leave on its way out, also to a welcome that is still coming', () => {
    for (const welcomed of [true, false]) {
      const scene = new Scene()
      scene.uplink.start()
      scene.connection.open()
      if (welcomed) scene.welcome()
      scene.uplink.close()
      scene.uplink.close()
      expect(scene.connection.count('leave')).toBe(1)
      expect(scene.clock.pending()).toBe(0)
    }
  })

  test('a handler may close in the middle of a packet', () => {
    const scene = new Scene().online()
    const frames = scene.collect('frame')
    scene.uplink.on('frame', () => scene.uplink.close())
    const one = new Uint8Array(17)
    one.set([5, 0, 0, 0, 0, 0, 0, 1], 0)
    one.fill(0xaa, 8, 16)
    scene.connection.bytes(Uint8Array.from([...one, ...one]))
    expect(frames).toMatchObject([{ from: ADA }])
  })
})
