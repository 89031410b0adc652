import { describe, expect, it } from 'vitest'
import type { LinkMessage } from '../../../signaling/protocol/index.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { ANY_PATH, OneSide, STUN_AND_TURN } from './one-side.ts'

const answer = (attempt: number): LinkMessage => ({ t: 'answer', attempt, sdp: 'answer' })
const candidate = (attempt: number, text = 'candidate:1 1 udp 1 10.0.0.1 5 typ host'): LinkMessage => ({
  t: 'candidate',
  attempt,
  candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 },
})

async function started(options: Partial<ConstructorParameters<typeof OneSide>[0]> = {}): Promise<OneSide> {
  const side = new OneSide({ initiator: true, ...options })
  side.attempts.start()
  await side.pass(10)
  return side
}

async function up(options: Partial<ConstructorParameters<typeof OneSide>[0]> = {}): Promise<OneSide> {
  const side = await started(options)
  side.receive(answer(1))
  await side.become()
  return side
}

describe('the first attempt', () => {
  it('gathers without TURN and offers', async () => {
    const side = await started()
    expect(side.state).toBe('connecting')
    expect(side.words).toEqual(['offer 1'])
    expect(side.said[0]).toMatchObject({ turn: false })
    expect(side.path.options.iceServers).toEqual([{ urls: ['stun:stun.test:3478'] }])
    expect(side.attempts.why).toBe('connecting directly')
  })

  it('is used only when the link has found it usable', async () => {
    const side = await started()
    side.receive(answer(1))
    side.path.open()
    expect(side.log).toEqual(['opened 1'])
    expect(side.inUse).toBeUndefined()
    expect(side.attempts.why).toBe('connected, checking the path')
    side.attempts.usable(side.path)
    expect(side.inUse).toBe(side.path)
    expect(side.state).toBe('up')
    expect(side.attempts.why).toBe('connected directly')
  })

  it('is replaced by one with TURN when it is not usable within 2 s', async () => {
    const side = await started()
    await side.pass(1_980)
    expect(side.paths).toHaveLength(1)
    await side.pass(30)
    expect(side.paths.map(({ closed }) => closed)).toEqual([true, false])
    expect(side.words).toEqual(['offer 1', 'offer 2'])
    expect(side.said[1]).toMatchObject({ turn: true })
    expect(side.path.options.iceServers).toEqual(STUN_AND_TURN)
    expect(side.attempts.why).toBe('connecting directly or through TURN')
  })

  it('is replaced by one with TURN as soon as it fails', async () => {
    const side = await started()
    await side.pass(700)
    side.path.fail()
    await side.pass(10)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
    expect(side.path.options.turn).toBe(true)
  })

  it('goes on for 10 s when there is no TURN server', async () => {
    const side = await started({ iceServers: () => Promise.resolve([{ urls: ['stun:stun.test'] }]) })
    await side.pass(9_900)
    expect(side.words).toEqual(['offer 1'])
    await side.pass(100)
    expect(side.state).toBe('waiting')
    expect(side.path.closed).toBe(true)
    expect(side.attempts.why).toBe('no direct path after 10 s: trying again in 1 s')
  })

  it('starts without ICE servers when they do not come', async () => {
    const silent = await started({ iceServers: () => new Promise(() => {}) })
    expect(silent.state).toBe('preparing')
    await silent.pass(2_000)
    expect(silent.words).toEqual(['offer 1'])
    const refusing = await started({ iceServers: () => Promise.reject(new Error('offline')) })
    expect(refusing.words).toEqual(['offer 1'])
    const throwing = await started({
      iceServers: () => {
        throw new Error('offline')
      },
    })
    expect(throwing.words).toEqual(['offer 1'])
  })
})

describe('an attempt', () => {
  it('that opens but is not usable is given up', async () => {
    const side = await started()
    await side.pass(2_100)
    side.path.open()
    await side.pass(2_900)
    expect(side.state).toBe('connecting')
    await side.pass(200)
    expect(side.state).toBe('waiting')
    expect(side.log).toEqual(['opened 2', 'closed 2: closed here'])
    expect(side.attempts.why).toMatch(/^the path opened but did not answer: trying again in/)
  })

  it('takes one answer, and only signals with its number', async () => {
    const side = await started()
    side.receive(answer(2), answer(1), answer(1), candidate(2), candidate(1))
    expect(side.path.accepted.map(({ t, attempt }) => `${t} ${attempt}`)).toEqual(['answer 1', 'candidate 1'])
  })

  it('takes a bounded number of candidates, also while it is in use', async () => {
    const side = await up()
    for (let index = 0; index < 200; index += 1) side.receive(candidate(1))
    expect(side.path.candidates).toHaveLength(64)
  })

  it('says a bounded number of candidates', async () => {
    const side = await started()
    for (let index = 0; index < 200; index += 1) {
      const message = candidate(1)
      if (message.t === 'candidate') side.path.options.say(message)
    }
    expect(side.said.filter(({ t }) => t === 'candidate')).toHaveLength(64)
  })

  it('follows at longer and longer intervals, with full jitter, up to a minute', async () => {
    const side = await started({ random: () => 0.999 })
    const delays: number[] = []
    while (delays.length < 9) {
      if (side.state === 'waiting') {
        const from = side.clock.now()
        while (side.state === 'waiting') await side.pass(10)
        delays.push((side.clock.now() - from) / 1_000)
      } else await side.pass(50)
    }
    expect(delays.map(Math.round)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('is spaced from the one before, however often the other side asks', async () => {
    const side = await started()
    for (let time = 0; time < 100; time += 1) {
      side.receive({ t: 'ask', replaces: side.paths.length })
      await side.pass(50)
    }
    expect(side.paths.length).toBeLessThanOrEqual(11)
    expect(side.paths.length).toBeGreaterThan(5)
  })
})

describe('a path in use', () => {
  it('that is lost is followed by a new attempt after a random part of a second', async () => {
    const side = await up()
    side.attempts.lost(side.path, 'no answer')
    expect(side.inUse).toBeUndefined()
    expect(side.log.slice(2)).toEqual(['path none', 'closed 1: closed here'])
    expect(side.attempts.why).toBe('no answer: trying again in 1 s')
    await side.pass(490)
    expect(side.paths).toHaveLength(1)
    await side.pass(30)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
    expect(side.path.options.turn).toBe(false)
  })

  it('that closes is lost', async () => {
    const side = await up()
    side.path.fail('closed by the other side')
    expect(side.log.slice(2)).toEqual(['path none', 'closed 1: closed by the other side'])
    expect(side.state).toBe('waiting')
  })

  it('that needed TURN is followed by an attempt with TURN', async () => {
    const side = await started()
    await side.pass(2_100)
    await side.become('turn')
    expect(side.attempts.why).toBe('no direct way was found: connected through TURN')
    side.path.fail()
    await side.pass(1_100)
    expect(side.path.options).toMatchObject({ attempt: 3, turn: true })
  })

  it('resets the back-off only when it was usable for a while', async () => {
    const waits = async (usableMs: number): Promise<number> => {
      const side = await started({ random: () => 0.999 })
      for (let failures = 0; failures < 4; ) {
        await side.pass(50)
        if (side.state === 'waiting') {
          failures += 1
          while (side.state === 'waiting') await side.pass(50)
        }
      }
      await side.pass(10)
      await side.become()
      await side.pass(usableMs)
      const from = side.clock.now()
      side.path.fail()
      while (side.state === 'waiting') await side.pass(50)
      return (side.clock.now() - from) / 1_000
    }
    expect(Math.round(await waits(1_000))).toBe(16)
    expect(Math.round(await waits(31_000))).toBe(1)
  })

  it('is kept while a replacement is made, and for a moment after', async () => {
    const side = await up()
    const before = side.path
    await side.pass(5_000)
    side.attempts.networkChanged()
    await side.pass(10)
    expect(side.state).toBe('connecting')
    expect(side.inUse).toBe(before)
    side.receive(answer(2))
    await side.become()
    expect(side.inUse).toBe(side.path)
    expect(before.closed).toBe(false)
    await side.pass(2_000)
    expect(before.closed).toBe(true)
    expect(side.log).toEqual(['opened 1', 'path 1', 'opened 2', 'path 2', 'closed 1: closed here'])
    expect(side.state).toBe('up')
  })

  it('stays in use when its replacement fails', async () => {
    const side = await up()
    const before = side.path
    await side.pass(5_000)
    side.attempts.networkChanged()
    await side.pass(20_000)
    expect(side.inUse).toBe(before)
    expect(side.state).toBe('up')
    expect(side.paths.map(({ closed }) => closed)).toEqual([false, true, true])
  })

  it('may be lost while its replacement is made', async () => {
    const side = await up()
    await side.pass(5_000)
    side.attempts.networkChanged()
    await side.pass(10)
    side.paths[0]?.fail()
    expect(side.inUse).toBeUndefined()
    expect(side.state).toBe('connecting')
    await side.become()
    expect(side.inUse).toBe(side.path)
  })

  it('tells when its kind changes', async () => {
    const side = await up()
    side.path.kind = 'turn'
    side.path.options.events.kindChanged(side.path)
    expect(side.log.at(-1)).toBe('kind 1 turn')
  })
})

describe('a change of the network', () => {
  it('ends a back-off at once, and starts without TURN again', async () => {
    const side = await started({ random: () => 0.999 })
    await side.pass(60_000)
    while (side.state !== 'waiting') await side.pass(50)
    await side.pass(600)
    const made = side.paths.length
    side.attempts.networkChanged()
    await side.pass(10)
    expect(side.paths).toHaveLength(made + 1)
    expect(side.path.options.turn).toBe(false)
  })

  it('that comes in a burst makes two attempts, at its beginning and after it', async () => {
    const side = await up()
    await side.pass(5_000)
    for (let time = 0; time < 10; time += 1) {
      side.attempts.networkChanged()
      await side.pass(50)
    }
    expect(side.paths).toHaveLength(2)
    await side.pass(600)
    expect(side.paths).toHaveLength(3)
  })

  it('does nothing before the start, after the end, and where there is no WebRTC', async () => {
    const side = new OneSide({ initiator: true })
    side.attempts.networkChanged()
    side.attempts.start()
    side.receive({ t: 'relay-only' })
    side.attempts.networkChanged()
    side.attempts.stop()
    side.attempts.networkChanged()
    await side.pass(5_000)
    expect(side.paths).toHaveLength(0)
    expect(side.clock.pending()).toBe(0)
  })
})

describe('when the other side asks', () => {
  it('a new attempt runs beside the path in use', async () => {
    const side = await up()
    await side.pass(1_000)
    side.receive({ t: 'ask', replaces: 1 })
    await side.pass(10)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
    expect(side.inUse?.attempt).toBe(1)
  })

  it('for one that is being replaced, nothing is done', async () => {
    const side = await started()
    await side.pass(1_000)
    side.receive({ t: 'ask', replaces: 0 })
    await side.pass(500)
    expect(side.words).toEqual(['offer 1'])
  })

  it('for one that was replaced long ago, its replacement was lost on the way: there is another', async () => {
    const side = await up()
    await side.pass(1_000)
    side.receive({ t: 'ask', replaces: 0 })
    await side.pass(10)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
  })

  it('for one that is unknown here, the numbers go on from there', async () => {
    const side = await started()
    await side.pass(1_000)
    side.receive({ t: 'ask', replaces: 41 })
    await side.pass(10)
    expect(side.words).toEqual(['offer 1', 'offer 42'])
  })
})

describe('policy', () => {
  it('relay only is said, again to each ask, and nothing is tried', async () => {
    const side = await started({ policy: { ...ANY_PATH, direct: false, turn: false } })
    side.receive({ t: 'ask', replaces: 0 })
    await side.pass(100_000)
    expect(side.words).toEqual(['relay-only', 'relay-only'])
    expect(side.attempts.why).toBe('set to use the server only')
    expect(side.clock.pending()).toBe(0)
  })

  it('no WebRTC, or no slots at all, is relay only', async () => {
    const without = await started({ connect: undefined })
    expect(without.words).toEqual(['relay-only'])
    expect(without.attempts.why).toBe('WebRTC is not supported here')
    expect((await started({ slots: new SlotPool(0) })).words).toEqual(['relay-only'])
  })

  it('TURN only: from the first attempt', async () => {
    for (const policy of [
      { ...ANY_PATH, direct: false },
      { ...ANY_PATH, iceTransportPolicy: 'relay' },
    ] as const) {
      const side = await started({ policy })
      expect(side.path.options).toMatchObject({ turn: true, iceTransportPolicy: 'relay', iceServers: STUN_AND_TURN })
      expect(side.attempts.why).toBe('connecting through TURN')
      await side.pass(5_000)
      expect(side.paths).toHaveLength(1)
    }
  })

  it('TURN only, without a TURN server: says so, and looks again', async () => {
    let servers: typeof STUN_AND_TURN = []
    const side = await started({
      policy: { ...ANY_PATH, iceTransportPolicy: 'relay' },
      iceServers: () => Promise.resolve(servers),
    })
    expect(side.attempts.why).toMatch(/^no TURN server is known: trying again in/)
    servers = STUN_AND_TURN
    await side.pass(2_000)
    expect(side.paths).toHaveLength(1)
  })

  it('without TURN: never offered, and candidates of the other side through its TURN server are not taken', async () => {
    const side = await started({ policy: { ...ANY_PATH, turn: false } })
    side.receive(
      { t: 'answer', attempt: 1, sdp: 'v=0\r\na=candidate:1 1 udp 1 1.2.3.4 5 typ relay raddr\r\na=x\r\n' },
      candidate(1, 'candidate:2 1 udp 1 1.2.3.4 6 typ relay raddr 0.0.0.0 rport 0'),
      candidate(1),
    )
    expect(side.path.accepted[0]).toMatchObject({ sdp: 'v=0\r\na=x\r\n' })
    expect(side.path.candidates).toHaveLength(1)
    await side.pass(60_000)
    expect(side.paths.length).toBeGreaterThan(2)
    expect(side.paths.every(({ options }) => !options.turn && options.iceServers.length === 1)).toBe(true)
  })

  it('of the other side, relay only: everything ends, for good', async () => {
    const side = await up()
    side.receive({ t: 'relay-only' })
    expect(side.inUse).toBeUndefined()
    expect(side.path.closed).toBe(true)
    expect(side.attempts.why).toBe('the other side does not use WebRTC')
    await side.pass(100_000)
    expect(side.words).toEqual(['offer 1'])
  })
})

describe('the end', () => {
  it('closes every path, gives back the slot, and leaves no timer', async () => {
    const slots = new SlotPool(1)
    const side = await up({ slots })
    await side.pass(5_000)
    side.attempts.networkChanged()
    await side.pass(10)
    const told = side.log.length
    side.attempts.stop()
    side.attempts.stop()
    expect(side.paths.every(({ closed }) => closed)).toBe(true)
    expect(slots.used).toBe(0)
    expect(side.clock.pending()).toBe(0)
    side.receive({ t: 'ask', replaces: 2 }, answer(2))
    await side.pass(100_000)
    expect(side.paths).toHaveLength(2)
    expect(side.log).toHaveLength(told)
  })
})
