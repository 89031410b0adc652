import { describe, expect, it } from 'vitest'
import type { LinkMessage } from '../../../signaling/protocol/index.ts'
import { OneSide } from './one-side.ts'

const answer = (attempt: number): LinkMessage => ({ t: 'answer', attempt, sdp: 'answer' })

async function up(random = 0.5): Promise<OneSide> {
  const side = new OneSide({ initiator: true, random: () => random })
  side.attempts.start()
  await side.pass(10)
  side.receive(answer(1))
  await side.become()
  await side.pass(5_000)
  return side
}

describe('a path in use that does not answer', () => {
  it('gets a second to come back: then nothing is tried', async () => {
    const side = await up()
    side.attempts.doubted()
    await side.pass(900)
    side.attempts.usable(side.path)
    await side.pass(5_000)
    expect(side.state).toBe('up')
    expect(side.words).toEqual(['offer 1'])
  })

  it('is kept while another is made beside it, and replaced by that one', async () => {
    const side = await up()
    const before = side.path
    side.attempts.doubted()
    await side.pass(1_010)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
    expect(side.inUse).toBe(before)
    side.receive(answer(2))
    await side.become()
    expect(side.inUse).toBe(side.path)
    expect(side.state).toBe('up')
  })

  it('may be given up while another is made beside it', async () => {
    const side = await up()
    const before = side.path
    side.attempts.doubted()
    await side.pass(1_500)
    side.attempts.lost(before, 'no answer')
    expect(side.inUse).toBeUndefined()
    expect(side.state).toBe('connecting')
    side.receive(answer(2))
    await side.become()
    expect(side.inUse?.attempt).toBe(2)
  })

  it('is doubted once, and only while nothing is under way', async () => {
    const side = await up()
    side.attempts.doubted()
    await side.pass(600)
    side.attempts.doubted()
    await side.pass(600)
    expect(side.paths).toHaveLength(2)
    side.attempts.doubted()
    await side.pass(600)
    expect(side.paths).toHaveLength(2)
  })

  it('makes the answering side ask', async () => {
    const side = new OneSide({ initiator: false })
    side.attempts.start()
    side.receive({ t: 'offer', attempt: 1, sdp: 'offer', turn: false })
    await side.pass(10)
    await side.become()
    await side.pass(5_000)
    side.attempts.doubted()
    await side.pass(1_010)
    expect(side.words.at(-1)).toBe('ask 1')
  })
})

describe('when a path has been lost, and attempts fail', () => {
  const waits = async (side: OneSide, count: number): Promise<number[]> => {
    const delays: number[] = []
    while (delays.length < count) {
      if (side.state === 'waiting') {
        const from = side.clock.now()
        while (side.state === 'waiting') await side.pass(10)
        delays.push(Math.round((side.clock.now() - from) / 1_000))
      } else await side.pass(50)
    }
    return delays
  }

  it('further ones follow within a second for a minute, then less and less often', async () => {
    const side = await up(0.999)
    side.attempts.lost(side.path, 'no answer')
    const delays = await waits(side, 20)
    const late = delays.findIndex((seconds) => seconds > 1)
    expect(delays.slice(0, late)).toEqual(Array.from({ length: late }, () => 1))
    expect(delays.slice(late, late + 3)).toEqual([2, 4, 8])
  })

  it('they are short at first, so that one begins soon after the network has healed', async () => {
    const side = await up(0.999)
    side.attempts.lost(side.path, 'no answer')
    const lostAtMs = side.clock.now()
    const begunS: number[] = []
    for (let made = side.paths.length; side.clock.now() < lostAtMs + 90_000; made = side.paths.length) {
      await side.pass(10)
      if (side.paths.length > made) begunS.push((side.clock.now() - lostAtMs) / 1_000)
    }
    const apart = begunS.slice(1).map((atS, index) => atS - (begunS[index] ?? 0))
    const longestUntil = (endS: number): number => Math.max(...apart.filter((_, index) => (begunS[index] ?? 0) < endS))
    expect(longestUntil(20)).toBeLessThan(3.6)
    expect(longestUntil(50)).toBeLessThan(7.6)
    // An attempt gets its usual time again.
    expect(apart.at(-1)).toBeGreaterThan(10)
  })

  it('they get twice the time that the last good one took', async () => {
    const side = new OneSide({ initiator: true, random: () => 0.999 })
    side.attempts.start()
    await side.pass(1_900)
    side.receive(answer(1))
    await side.become()
    await side.pass(5_000)
    side.attempts.lost(side.path, 'no answer')
    // A second of back-off, 2 s without TURN, and then the one with it.
    await side.pass(1_000 + 2_000 + 3_600)
    expect(side.paths).toHaveLength(3)
    await side.pass(1_300)
    expect(side.paths).toHaveLength(4)
  })
})

describe('beside a path through TURN', () => {
  async function throughTurn(): Promise<OneSide> {
    const side = new OneSide({ initiator: true })
    side.attempts.start()
    await side.pass(2_600)
    side.receive(answer(2))
    await side.become('turn')
    expect(side.inUse?.attempt).toBe(2)
    return side
  }

  it('a direct one is looked for, less and less often, and without another through TURN', async () => {
    const side = await throughTurn()
    const startedAtS: number[] = []
    for (let second = 0, made = 2; second < 60; second += 1) {
      await side.pass(1_000)
      if (side.paths.length > made) startedAtS.push(second)
      made = side.paths.length
      expect(side.inUse?.attempt).toBe(2)
    }
    // After 5, 10, 20 s; each attempt takes 2 s.
    expect(startedAtS).toEqual([4, 16, 38])
    expect(side.paths.map(({ options }) => options.turn)).toEqual([false, true, false, false, false])
  })

  it('a direct one that is found takes its place', async () => {
    const side = await throughTurn()
    await side.pass(5_100)
    side.receive(answer(3))
    await side.become('direct')
    expect(side.inUse?.attempt).toBe(3)
    await side.pass(60_000)
    expect(side.paths).toHaveLength(3)
  })

  it('soon after a direct one was lost, it is looked for each second', async () => {
    const side = await up()
    side.attempts.lost(side.path, 'no answer')
    await side.pass(3_100)
    side.receive(answer(3))
    await side.become('turn')
    await side.pass(1_100)
    expect(side.words.at(-1)).toBe('offer 4')
    await side.pass(3_100)
    expect(side.words.at(-1)).toBe('offer 5')
  })

  it('a path that is lost while a direct one is waited for is followed by a new attempt', async () => {
    const side = await throughTurn()
    side.attempts.lost(side.path, 'no answer')
    expect(side.inUse).toBeUndefined()
    await side.pass(1_100)
    expect(side.words.at(-1)).toBe('offer 3')
    expect(side.path.options.turn).toBe(true)
  })

  it('nothing is looked for when the other side goes through TURN by its own choice', async () => {
    const side = new OneSide({ initiator: true })
    side.attempts.start()
    await side.pass(10)
    side.receive(answer(1))
    await side.become('turn')
    await side.pass(60_000)
    expect(side.paths).toHaveLength(1)
  })
})
