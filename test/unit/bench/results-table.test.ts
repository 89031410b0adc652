import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Figure, Report } from '../../bench/figure.ts'
import { README, RESULTS, resultsTable, withResults } from '../../bench/results-table.ts'

const FIGURE: Figure = {
  name: 'round trip, p50',
  unit: 'ms',
  ours: 0.55,
  bare: 0.5,
  peers: { peerjs: 0.6 },
  ratio: 1.1,
  spread: 0.2,
  goal: 'ratio <= 1.1',
  holds: true,
}

const REPORT: Report = {
  machine: {
    processor: 'P',
    cores: 2,
    memoryGb: 24,
    node: 'v20.0.0',
    chromium: '1.2',
    at: '2026-01-02T03:04:05.000Z',
    loadBefore: 0.5,
    loadAfter: 2,
  },
  effort: 'full',
  seconds: {},
  figures: [FIGURE, { ...FIGURE, name: 'late', bare: 5, ratio: 2, holds: false }],
}

describe('the table of results', () => {
  it('has a row for each figure, with its goal and whether it holds', () => {
    const rows = resultsTable(REPORT).split('\n')
    expect(rows).toContain('| round trip, p50 (ms) | 0.55 | 0.5 | 0.6 | – | 1.1 ± 0.11 | ratio <= 1.1 | yes |')
    expect(rows).toContain('| late (ms) | 0.55 | 5 | 0.6 | – | 2 ± 0.2 | ratio <= 1.1 | **no** |')
    expect(rows).toContain('1 of 2 goals hold.')
  })

  it('says so when it is of a quick run', () => {
    expect(resultsTable({ ...REPORT, effort: 'quick' })).toContain('quick run')
  })

  it('in the README is that of results/direct.json (npx tsx test/bench/results-table.ts writes it)', () => {
    const readme = readFileSync(README, 'utf8')
    expect(withResults(readme, JSON.parse(readFileSync(RESULTS, 'utf8')) as Report)).toBe(readme)
  })
})
