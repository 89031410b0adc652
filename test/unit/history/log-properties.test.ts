import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../signaling/history/store.ts'
import fc from '../../support/properties.ts'
import { entry, KINDS, ROOM, storeMaker, writer } from './stores.ts'

type Act =
  | { readonly act: 'append'; readonly key: string; readonly ahead: number }
  | { readonly act: 'pass'; readonly ms: number }
  | { readonly act: 'page'; readonly limit: number; readonly from: number; readonly forwards: boolean }
  | { readonly act: 'clear' | 'restart' | 'refuse' | 'sweep' }

const append = fc.record({
  act: fc.constant('append' as const),
  key: fc.constantFrom('w1', 'w2'),
  // 1 is the next one; below it a repeat, beyond it a gap.
  ahead: fc.constantFrom(1, 1, 1, 1, 2, 0, -1, -3),
})
const page = fc.record({
  act: fc.constant('page' as const),
  limit: fc.nat(6),
  from: fc.nat(20),
  forwards: fc.boolean(),
})
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: append },
    { weight: 4, arbitrary: page },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.nat(700) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('clear', 'restart', 'refuse', 'sweep') }) },
  ),
  { maxLength: 40 },
)

const BOUNDS = { messages: 6, ageMs: 1_000 }
const QUERY = { limit: 256, mostBytes: 1_000_000 }

interface Modelled {
  readonly offset: number
  readonly id: string
  readonly atMs: number
}

describe.each(KINDS)('a log, whatever happens to it (%s)', (kind) => {
  const makeStore = storeMaker(kind)

  it('has what was confirmed, once, in order, as long as it is to be kept', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (schedule) => {
        let world = await makeStore()
        world.bounds = BOUNDS
        let model: Modelled[] = []
        let next = 1
        const taken = new Map<string, { last: number; answers: Map<number, number | undefined> }>()
        const kept = (): Modelled[] =>
          model.slice(-BOUNDS.messages).filter(({ atMs }) => atMs >= world.nowMs - BOUNDS.ageMs)
        const look = async (): Promise<void> => {
          const { entries, first, next: following, more } = await world.store.read(ROOM, QUERY)
          expect(entries.map(({ offset, id }) => ({ offset, id }))).toEqual(
            kept().map(({ offset, id }) => ({ offset, id })),
          )
          expect([following, more, following - first]).toEqual([next, false, entries.length])
          expect(world.store.stats.waitingBytes).toBe(0)
        }
        for (const step of schedule) {
          if (step.act === 'append') {
            const writing = taken.get(step.key) ?? { last: 0, answers: new Map() }
            const n = Math.max(1, writing.last + step.ahead)
            const id = `${step.key}-${n}`
            const outcome = await world.store
              .append(ROOM, entry('x', { id }), writer(n, step.key))
              .catch((error) => error)
            if (n <= writing.last) {
              const before = writing.answers.get(n)
              if (before === undefined) expect(outcome).toMatchObject({ code: 'forgotten' })
              else expect(outcome).toMatchObject({ offset: before, repeated: true })
            } else if (world.refuse) {
              expect(outcome).toBeInstanceOf(StoreError)
              world.refuse = false
            } else {
              expect(outcome).toMatchObject({ offset: next, repeated: false })
              taken.set(step.key, { last: n, answers: writing.answers.set(n, next) })
              model.push({ offset: next, id, atMs: world.nowMs })
              next += 1
            }
          } else if (step.act === 'pass') world.nowMs += step.ms
          else if (step.act === 'sweep') {
            world.store.sweep()
            // Nobody waits for what it writes.
            await expect.poll(() => world.store.stats.waitingBytes, { interval: 1 }).toBe(0)
          } else if (step.act === 'refuse') world.refuse = true
          else if (step.act === 'page') {
            const { limit, from, forwards } = step
            const query = forwards ? { after: from } : { before: from + 1 }
            const { entries, more } = await world.store.read(ROOM, { ...QUERY, limit, ...query })
            const side = kept().filter(({ offset }) => (forwards ? offset > from : offset < from + 1))
            const due = forwards ? side.slice(0, limit) : side.slice(Math.max(0, side.length - limit))
            expect(entries.map(({ offset }) => offset)).toEqual(due.map(({ offset }) => offset))
            expect(more).toBe(side.length > limit)
          } else {
            world.refuse = false
            const cleared = step.act === 'clear' ? await world.store.clear(ROOM) : false
            if (step.act === 'restart') world = await world.again()
            if (cleared || (step.act === 'restart' && kind === 'memory')) {
              model = []
              next = 1
              for (const { answers } of taken.values()) answers.clear()
            }
            if (step.act === 'restart' && kind === 'memory') taken.clear()
          }
          await look()
        }
      }),
      { numRuns: kind === 'file' ? 40 : 300 },
    )
  })
})
