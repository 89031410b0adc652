import { describe, expect, test } from 'vitest'
import { CLOSE } from '../../../signaling/protocol/index.ts'
import { bytes, type FakeConnection, Scene, turn } from './fake-server.ts'

describe('a carrier in doubt', () => {
  /** Probed without an answer, so that a rival is opening. */
  const doubted = (): { scene: Scene; old: FakeConnection; rival: FakeConnection } => {
    const scene = new Scene().online().measured()
    scene.clock.advance(3_000)
    const old = scene.connection
    scene.uplink.probe()
    scene.clock.advance(299)
    expect(scene.connections).toHaveLength(1)
    scene.clock.advance(1)
    expect(scene.connections).toHaveLength(2)
    return { scene, old, rival: scene.connection }
  }

  test('stays in use until its rival is welcomed, and nobody is told that we were away', async () => {
    const { scene, old, rival } = doubted()
    expect(scene.uplink.send({ kind: 'all' }, bytes(1))).toBe(true)
    await turn()
    expect(old.packets).toHaveLength(1)
    rival.open()
    expect(rival.latest('join').token).toBe('token-1')
    scene.welcome()
    expect(old.closedWith).toBe(CLOSE.normal)
    expect(scene.told.slice(4)).toEqual(['resumed', 'online'])
    scene.uplink.send({ kind: 'all' }, bytes(2))
    await turn()
    expect(rival.packets).toHaveLength(1)
    scene.clock.advance(100)
    scene.pong()
    scene.clock.advance(4_000)
    expect(scene.uplink.state).toBe('online')
  })

  test('may be told that it was replaced before the welcome comes: by ourselves', () => {
    const { scene, old, rival } = doubted()
    rival.open()
    old.drop(CLOSE.replaced)
    expect(scene.uplink.state).toBe('joining')
    scene.welcome()
    expect(scene.uplink.state).toBe('online')
    expect(scene.connections).toHaveLength(2)
    rival.drop(CLOSE.replaced)
    expect(scene.told.at(-1)).toBe('closed: replaced')
  })

  test('comes back when it was replaced by a rival whose welcome was lost', () => {
    const { scene, old, rival } = doubted()
    rival.open().drop()
    expect(scene.uplink.state).toBe('online')
    old.drop(CLOSE.replaced)
    expect(scene.uplink.state).toBe('waiting')
  })

  test('keeps the profile that was set meanwhile, though the rival’s join says the one before', async () => {
    const { scene, old, rival } = doubted()
    let done = false
    void scene.uplink.setProfile({ name: 'Eve' }).then(() => {
      done = true
    })
    old.say({ t: 'ok', re: old.latest('profile').id })
    rival.open()
    expect(rival.latest('join').profile).toEqual({ name: 'Ada' })
    scene.welcome()
    expect(rival.latest('profile').profile).toEqual({ name: 'Eve' })
    rival.say({ t: 'ok', re: rival.latest('profile').id })
    await turn()
    expect(done).toBe(true)
  })

  test('stays when it answers and the rival does not open', () => {
    const { scene, old, rival } = doubted()
    old.say({ t: 'pong', n: old.latest('ping').n, timeMs: 0 })
    rival.drop()
    scene.clock.advance(4_000)
    expect(scene.uplink.state).toBe('online')
    expect(old.closedWith).toBeUndefined()
  })

  test('that is given up leaves its rival no more time to open than any', () => {
    const { scene, rival } = doubted()
    scene.clock.advance(700)
    expect(scene.uplink.state).toBe('connecting')
    scene.clock.advance(400)
    expect(rival.closedWith).toBe(CLOSE.normal)
    expect(scene.connections).toHaveLength(3)
  })

  test('that ends leaves the field to its rival, whose failure is then the end of both', () => {
    const { scene, old, rival } = doubted()
    old.drop()
    expect(scene.uplink.state).toBe('connecting')
    rival.open()
    expect(scene.uplink.state).toBe('joining')
    rival.drop()
    expect(scene.uplink.state).toBe('waiting')
    scene.clock.advance(250)
    expect(scene.connections).toHaveLength(3)
  })

  test('whose join came late, when it had been given up, takes the session from ourselves: once', () => {
    const { scene, old } = doubted()
    old.drop()
    scene.clock.advance(400)
    expect(scene.connections).toHaveLength(3)
    scene.online()
    // TCP has said the request of the second again, and the server has taken its join for the newest.
    scene.connection.drop(CLOSE.replaced)
    expect(scene.uplink.state).toBe('waiting')
    scene.clock.advance(250)
    scene.online()
    scene.connection.drop(CLOSE.replaced)
    expect(scene.told.at(-1)).toBe('closed: replaced')
  })

  test('is not raced again and again', () => {
    const { scene, rival } = doubted()
    rival.open()
    scene.welcome()
    scene.uplink.probe()
    scene.clock.advance(999)
    expect(scene.connections).toHaveLength(2)
    scene.clock.advance(1)
    expect(scene.uplink.state).toBe('waiting')
  })

  test('takes its rival along when the room is over', () => {
    const { scene, old, rival } = doubted()
    scene.uplink.close()
    expect([old.closedWith, rival.closedWith]).toEqual([CLOSE.normal, CLOSE.normal])
    expect(scene.clock.pending()).toBe(0)
  })
})
