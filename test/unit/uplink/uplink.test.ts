import { describe, expect, test } from 'vitest'
import { CLOSE, type ErrorCode } from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../../../web/client/clock.ts'
import type { PartylineError } from '../../../web/client/errors.ts'
import { Heartbeat } from '../../../web/client/uplink/heartbeat.ts'
import { ADA, BOB, type FakeConnection, member, Scene, turn } from './fake-server.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

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
