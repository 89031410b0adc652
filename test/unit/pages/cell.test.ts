import { describe, expect, it } from 'vitest'
import { Cell } from '../../../web/ui/cell.ts'

describe('a cell', () => {
  it('tells its watchers of changes, and of nothing else', () => {
    const cell = new Cell(1)
    const seen: number[] = []
    const stop = cell.watch(() => seen.push(cell.value))
    cell.value = 2
    cell.value = 2
    stop()
    cell.value = 3
    expect(seen).toEqual([2])
    expect(cell.value).toBe(3)
  })

  it('lets a watcher stop while it is told', () => {
    const cell = new Cell(1)
    const seen: string[] = []
    const stop = cell.watch(() => {
      seen.push('one')
      stop()
    })
    cell.watch(() => seen.push('other'))
    cell.value = 2
    cell.value = 3
    expect(seen).toEqual(['one', 'other', 'other'])
  })
})
