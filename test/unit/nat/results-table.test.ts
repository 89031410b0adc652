import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type FaultResult, verdicts } from '../../nat/fault-run.ts'
import { FAULTS } from '../../nat/faults.ts'
import { faultResults, README, RESULTS, withResults } from '../../nat/results-table.ts'

const PUBLISHED = JSON.parse(readFileSync(new URL('nat-faults.json', RESULTS), 'utf8')) as {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  readonly results: readonly FaultResult[]
}

describe('verdicts', () => {
  const measured = { silenceMs: 3_000, longestGapMs: 3_400, recoveryMs: 2_100 }

  it('hold the gap beyond the silence, and the recovery, against what is aimed at', () => {
    expect(verdicts(measured, { gapMs: 500, recoveryMs: 2_000 })).toEqual({ gap: true, recovery: false })
  })

  it('are none where nothing is aimed at', () => {
    expect(verdicts(measured, {})).toEqual({ gap: undefined, recovery: undefined })
  })
})

describe('the published results', () => {
  it('are in the README as they are in results/*.json (npx tsx test/nat/results-table.ts writes them)', async () => {
    const readme = readFileSync(README, 'utf8')
    expect(await withResults(readme)).toBe(readme)
  })

  it('lost nothing, repeated nothing and kept the order', () => {
    for (const result of PUBLISHED.results) expect(result).toMatchObject({ lost: 0, repeated: 0, outOfOrder: 0 })
  })

  it('say of each fault what is aimed at today', () => {
    for (const { fault, aims } of PUBLISHED.results) {
      expect(aims, fault).toEqual(FAULTS.find(({ name }) => name === fault)?.aims ?? {})
    }
  })

  it('say that a goal does not hold', () => {
    const [some] = PUBLISHED.results
    if (some === undefined) throw new Error('nothing is published')
    const missed = { ...some, aims: { recoveryMs: 2_000 }, holds: { gap: undefined, recovery: false } }
    expect(faultResults({ ...PUBLISHED, results: [missed] })).toContain('≤ 2,000: **no**')
  })
})
