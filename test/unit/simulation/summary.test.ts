import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { added, digestOfCode, NOTHING, readSummary, type Summary, writeSummary } from '../../simulation/summary.ts'

const SUMMARY: Summary = {
  seeds: 1_000,
  sent: 5,
  delivered: 4,
  missed: 1,
  failures: [{ seed: 7, violations: ['twice'], replay: 'npm run sim -- --seed 7' }],
  code: 'abc',
  firstSeed: 1,
  nextSeed: 1_001,
  seconds: 3,
  updatedAt: '2026-01-02T03:04:05.000Z',
}

describe('the summary of a long run', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'partyline-summary-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is gone on with, for the same code and the same first seed', () => {
    const file = join(folder, 'below', 'sim.json')
    writeSummary(file, SUMMARY)
    expect(readSummary(file, 'abc', 1)).toEqual(SUMMARY)
  })

  it.each([
    ['code that has changed', 'abd', 1],
    ['another first seed', 'abc', 2],
  ])('is begun anew for %s', (_what, code, firstSeed) => {
    const file = join(folder, 'sim.json')
    writeSummary(file, SUMMARY)
    expect(readSummary(file, code, firstSeed)).toMatchObject({ ...NOTHING, nextSeed: firstSeed })
  })

  it('adds up what parts have found, failures by seed', () => {
    const other = { ...NOTHING, seeds: 2, failures: [{ seed: 3, violations: [], replay: '' }] }
    const { seeds, failures } = added([SUMMARY, other])
    expect(seeds).toBe(1_002)
    expect(failures.map(({ seed }) => seed)).toEqual([3, 7])
  })

  it('knows the code by a digest that is the same each time', () => {
    expect(digestOfCode()).toMatch(/^[0-9a-f]{12}$/)
    expect(digestOfCode()).toBe(digestOfCode())
  })
})
