import { describe, expect, it } from 'vitest'
import type { Figure } from '../../bench/figure.ts'
import { mergedReports, type RelayReport, relayTable } from '../../bench/relay/results.ts'

const figure = (name: string, ours: number): Figure => ({
  ...{ name, unit: 'µs', ours, bare: 2, peers: { ws: 4, 'ours by sse': 3 }, ratio: ours / 2, spread: 0.2 },
  ...{ goal: 'ratio <= 1.1', holds: ours / 2 <= 1.1 },
})

const REPORT: RelayReport = {
  machine: {
    ...{ processor: 'P', cores: 2, memoryGb: 24, node: 'v20.0.0', at: '2026-01-02T03:04:05.000Z' },
    ...{ loadBefore: 0.5, loadAfter: 2 },
  },
  effort: 'full',
  seconds: { rooms: 10, one: 20 },
  parts: {
    rooms: { at: '2026-01-02T03:04:05.000Z', loadBefore: 0.5, loadAfter: 1 },
    one: { at: '2026-01-02T03:05:05.000Z', loadBefore: 1, loadAfter: 2 },
  },
  figures: [figure('light', 2), figure('one to one', 3)],
}

describe('the results of the relay', () => {
  it('have a row for each figure, and the load of each part', () => {
    const rows = relayTable(REPORT).split('\n')
    expect(rows[0]).toBe('P, 2 cores, 24 GB, Node.js 20.0.0, 2026-01-02.')
    expect(rows[1]).toBe('Load before and at the end of each part: rooms 0.5 to 1 (03:04 UTC); one 1 to 2 (03:05 UTC).')
    expect(rows).toContain('1 of 2 goals hold.')
    expect(rows).toContain('| light (µs) | 2 | 2 | 4 | – | – | 3 | – | 1 ± 0.1 | ratio <= 1.1 | yes |')
    expect(rows).toContain('| one to one (µs) | 3 | 2 | 4 | – | – | 3 | – | 1.5 ± 0.15 | ratio <= 1.1 | **no** |')
  })

  it('keep what was not measured anew', () => {
    const one = { at: '2026-01-03T00:00:00.000Z', loadBefore: 5, loadAfter: 6 }
    const merged = mergedReports(REPORT, {
      ...REPORT,
      ...{ seconds: { one: 21 }, parts: { one }, figures: [figure('one to one', 2.2), figure('another', 1)] },
    })
    expect(merged.figures.map(({ name, ours }) => [name, ours])).toEqual([
      ['light', 2],
      ['one to one', 2.2],
      ['another', 1],
    ])
    expect(merged.seconds).toEqual({ rooms: 10, one: 21 })
    expect(merged.parts).toEqual({ ...REPORT.parts, one })
  })
})
