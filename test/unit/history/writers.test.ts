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
  expect(cells.list('answer')).toHaveLength(100_000)
})
