import { expect, it } from 'vitest'
import { MemoryCells } from '../../../signaling/history/cells.ts'
import { Journal } from '../../../signaling/history/journal.ts'
import { Writers } from '../../../signaling/history/writers.ts'

it('keeps so many writers and no more, however fast they come', async () => {
  const cells = new MemoryCells()
  const journal = new Journal({ cells, nowMs: () => 0, failed: () => undefined })
  const writers = new Writers(journal, 86_400_000)
  for (let index = 0; index < 100_500; index += 1) {
    writers.put(`w${index}`, 1, { log: 1, offset: index + 1 }, index)
    if (index % 10_000 === 0) await journal.committed()
  }
  await journal.committed()
  expect(writers.size).toBe(100_000)
  expect([writers.last('w499'), writers.last('w500')]).toEqual([0, 1])
  expect(writers.place('w499', 1)).toBeUndefined()
  expect(cells.list('writer')).toHaveLength(100_000)
  expect(cells.list('places')).toHaveLength(100_000)
})

it('keeps the places of their records together, and so many of them and no more', async () => {
  const cells = new MemoryCells()
  const journal = new Journal({ cells, nowMs: () => 0, failed: () => undefined })
  const writers = new Writers(journal, 86_400_000)
  const store = async (writer: number, numbers: readonly number[]): Promise<void> => {
    for (const n of numbers) writers.put(`w${writer}`, n, { log: 7, offset: writer + n }, writer)
    await journal.committed()
  }
  const all = Array.from({ length: 300 }, (_, index) => index + 1)
  await store(0, all)
  expect(cells.list('places')).toHaveLength(16)
  expect(writers.place('w0', 44)).toBeUndefined()
  for (const n of all.slice(44)) expect(writers.place('w0', n)).toEqual({ log: 7, offset: n })
  // One record in each row of its own.
  const spread = Array.from({ length: 16 }, (_, index) => 1 + 16 * index)
  for (let writer = 1; writer <= 25_010; writer += 1) await store(writer, spread)
  expect(cells.list('places')).toHaveLength(400_000)
  expect([writers.last('w10'), writers.last('w11')]).toEqual([0, 241])
  expect(writers.place('w11', 17)).toEqual({ log: 7, offset: 28 })
})

it('knows after a start what it knew before', async () => {
  const cells = new MemoryCells()
  const begin = (): Writers => {
    const journal = new Journal({ cells, nowMs: () => 0, failed: () => undefined })
    const writers = new Writers(journal, 86_400_000)
    writers.load(cells.list('writer'))
    return writers
  }
  const before = begin()
  for (const n of [1, 2, 5, 0xffff_ffff]) before.put('w', n, { log: 3, offset: n }, 1)
  await new Promise((resolve) => setImmediate(resolve))
  const after = begin()
  expect(after.last('w')).toBe(0xffff_ffff)
  for (const n of [1, 2, 5, 0xffff_ffff]) expect(after.place('w', n)).toEqual({ log: 3, offset: n })
  expect(after.place('w', 3)).toBeUndefined()
  after.sweep(86_400_002, 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect([cells.list('writer'), cells.list('places')]).toEqual([[], []])
})
