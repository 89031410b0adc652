import { describe, expect, it } from 'vitest'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { ANY_PATH } from './one-side.ts'
import { seeded, TwoSides, type Weather } from './two-sides.ts'

const words = (two: TwoSides): string[][] => two.sides.map((side) => side.words)

describe('two sides', () => {
  it('connect directly at the first attempt', async () => {
    const two = new TwoSides().start()
    await two.pass(400)
    expect(two.inUse).toBe('1 direct · 1 direct')
    expect(words(two)).toEqual([['offer 1'], ['answer 1']])
  })

  it('connect whichever of them starts later', async () => {
    for (const late of [0, 1] as const) {
      const two = new TwoSides()
      two.sides[1 - late]?.attempts.start()
      await two.pass(3_000)
      two.sides[late].attempts.start()
      await two.pass(3_000)
      expect(two.agree).toBe(true)
    }
  })

  it('connect through TURN when there is no direct way, after 2 s', async () => {
    const two = new TwoSides({ weather: { direct: 'never' } }).start()
    await two.pass(2_500)
    expect(two.inUse).toBe('2 turn · 2 turn')
  })

  it('connect through TURN when the direct path opens and carries nothing', async () => {
    const two = new TwoSides({ weather: { direct: 'mute' } }).start()
    await two.pass(5_000)
    expect(two.inUse).toBe('2 turn · 2 turn')
  })

  it('connect over a network of a second each way', async () => {
    const two = new TwoSides({ weather: { delayMs: 900 } }).start()
    await two.pass(15_000)
    expect(two.inUse).toBe('2 direct · 2 direct')
  })

  it('come back after a silent death of the path', async () => {
    const two = new TwoSides().start()
    await two.pass(5_000)
    two.blackhole()
    await two.pass(8_000)
    expect(two.agree).toBe(true)
    expect(two.sides[0].inUse?.attempt).toBeGreaterThan(1)
  })

  it('replace the path without a gap when the network of either changes, or of both at once', async () => {
    for (const who of [[0], [1], [0, 1]] as const) {
      const two = new TwoSides().start()
      await two.pass(5_000)
      const gaps: boolean[] = []
      for (const index of who) two.sides[index].attempts.networkChanged()
      for (let time = 0; time < 40; time += 1) {
        await two.pass(100)
        gaps.push(two.sides.some(({ inUse }) => inUse === undefined))
      }
      expect(gaps).not.toContain(true)
      expect(two.inUse).toBe('2 direct · 2 direct')
    }
  })

  it('do what both policies allow', async () => {
    const turnOnly = { ...ANY_PATH, iceTransportPolicy: 'relay' } as const
    const noTurn = { ...ANY_PATH, turn: false }
    const relayOnly = { direct: false, turn: false, iceTransportPolicy: 'all' } as const
    const table = [
      { policies: [turnOnly, ANY_PATH], direct: 'never', inUse: '1 turn · 1 turn' },
      { policies: [ANY_PATH, turnOnly], direct: 'never', inUse: '1 turn · 1 turn' },
      { policies: [noTurn, noTurn], direct: 'never', inUse: 'none · none' },
      { policies: [noTurn, ANY_PATH], direct: 'opens', inUse: '1 direct · 1 direct' },
      { policies: [ANY_PATH, noTurn], direct: 'opens', inUse: '1 direct · 1 direct' },
      { policies: [noTurn, ANY_PATH], direct: 'never', inUse: 'none · none' },
      { policies: [relayOnly, ANY_PATH], direct: 'opens', inUse: 'none · none' },
      { policies: [ANY_PATH, relayOnly], direct: 'opens', inUse: 'none · none' },
    ] as const
    for (const { policies, direct, inUse } of table) {
      const two = new TwoSides({ policies, weather: { direct } }).start()
      await two.pass(6_000)
      expect(two.inUse).toBe(inUse)
      two.stop()
    }
  })

  it('end with no timer left', async () => {
    const two = new TwoSides().start()
    await two.pass(1_000)
    two.stop()
    await two.pass(1_000)
    expect(two.clock.pending()).toBe(0)
  })
})

describe('slots of both sides', () => {
  it('a link waits for a slot of either, and gets it', async () => {
    for (const full of [0, 1] as const) {
      const slots = [new SlotPool(1), new SlotPool(1)] as const
      const held = slots[full].take()
      const two = new TwoSides({ slots }).start()
      await two.pass(20_000)
      expect(two.inUse).toBe('none · none')
      expect(slots[1 - full]?.used).toBe(0)
      expect(two.sides.map(({ attempts }) => attempts.why).sort()).toEqual([
        "the other side's limit of direct peers is reached",
        "this side's limit of 1 direct peers is reached",
      ])
      held?.release()
      await two.pass(2_000)
      expect(two.agree).toBe(true)
    }
  })

  it('both full, freed one after the other', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const slots = [new SlotPool(1), new SlotPool(1)] as const
      const held = [slots[0].take(), slots[1].take()]
      const two = new TwoSides({ slots }).start()
      await two.pass(30_000)
      for (const index of order) {
        held[index]?.release()
        await two.pass(20_000)
      }
      await two.pass(60_000)
      expect(two.agree).toBe(true)
    }
  })

  it('are shared: as many links as there are slots are direct, and when one ends the next takes its place', async () => {
    const mine = new SlotPool(3)
    const links = Array.from({ length: 6 }, (_, index) =>
      new TwoSides({ seed: index + 1, slots: [mine, new SlotPool(16)] }).start(),
    )
    const passAll = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) for (const link of links) await link.pass(100)
    }
    await passAll(2_000)
    const direct = (): boolean[] => links.map(({ sides }) => sides[0].attempts.current !== undefined)
    expect(direct()).toEqual([true, true, true, false, false, false])
    links[1]?.stop()
    await passAll(2_000)
    expect(direct()).toEqual([true, false, true, true, false, false])
  })
})

describe('whatever happens', () => {
  const LONGEST_MS = 150_000
  const SEEDS = 300

  /** A minute of bad weather of all kinds, then good weather: both sides must come to use one path. */
  async function storm(seed: number): Promise<TwoSides> {
    const random = seeded(seed * 7_919)
    const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
    const slots = [new SlotPool(pick(1, 2)), new SlotPool(pick(1, 2))] as const
    const two = new TwoSides({ seed, slots, weather: { delayMs: pick(5, 50, 300) } }).start()
    for (let time = 0; time < 40; time += 1) {
      Object.assign(two.weather, {
        direct: pick<Weather['direct']>('opens', 'opens', 'never', 'fails', 'one-sided', 'mute'),
        turn: pick<Weather['turn']>('opens', 'never'),
        losesSignals: random() < 0.15,
      })
      const side = two.sides[pick(0, 1)]
      const index = pick(0, 1)
      const current = side.inUse
      switch (pick('nothing', 'blackhole', 'network', 'close', 'give up', 'slot')) {
        case 'blackhole':
          two.blackhole()
          break
        case 'network':
          side.attempts.networkChanged()
          break
        case 'close':
          current?.close()
          break
        case 'give up':
          if (current) side.attempts.lost(current, 'given up')
          break
        case 'slot': {
          const slot = slots[index].take()
          two.clock.setTimeout(() => slot?.release(), random() * 10_000)
          break
        }
        default:
      }
      await two.pass(25 + Math.floor(random() * 3_000))
    }
    Object.assign(two.weather, { direct: 'opens', turn: 'opens', losesSignals: false })
    return two
  }

  it('both come to use one path, with one slot each, and nothing is left at the end', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const two = await storm(seed)
      let waitedMs = 0
      while (!(two.agree && two.sides.every(({ state }) => state === 'up')) && waitedMs < LONGEST_MS) {
        await two.pass(2_000)
        waitedMs += 2_000
        two.notice()
      }
      const found = { seed, inUse: two.inUse, states: two.sides.map(({ attempts }) => attempts.why) }
      expect(found, `seed ${seed}`).toMatchObject({
        states: [expect.stringMatching(/^(connected|no direct)/), expect.stringMatching(/^(connected|no direct)/)],
      })
      expect(two.agree, `seed ${seed}`).toBe(true)
      await two.pass(15_000)
      expect(
        two.slots.map(({ used }) => used),
        `seed ${seed}`,
      ).toEqual([1, 1])
      for (const side of two.sides) {
        expect(side.paths.filter(({ closed }) => !closed).length, `seed ${seed}: open paths`).toBe(1)
      }
      two.stop()
      await two.pass(1_000)
      expect(
        two.slots.map(({ used }) => used),
        `seed ${seed}`,
      ).toEqual([0, 0])
      expect(two.clock.pending(), `seed ${seed}: timers`).toBe(0)
    }
  })
})
