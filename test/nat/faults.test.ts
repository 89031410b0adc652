/**
 * Processes are killed, networks switched, packets dropped, while two members send each other 50 numbered messages a
 * second. Nothing may be lost, repeated or out of order; how long nothing came is measured.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { notingLateness } from '../support/lateness.ts'
import { faultPicture } from './fault-picture.ts'
import { type FaultResult, tryFault } from './fault-run.ts'
import { FAULTS } from './faults.ts'
import { labObstacle } from './lab/able.ts'
import { RELOAD, tryReload } from './reload.ts'
import { FOR_THE_DOCS, writeResults } from './results.ts'
import type { Stage } from './stage.ts'
import { StagePool } from './stage-pool.ts'
import { faultTable } from './tables.ts'

/** What is aimed at is told in the table. A test fails only far beyond it: this machine may have other things to do. */
const FAR_BEYOND = 10

interface Case {
  readonly name: string
  readonly gapMs: number
  run(stage: Stage): Promise<FaultResult>
}

const CASES: readonly Case[] = [
  ...FAULTS.map((fault) => ({ ...fault, run: (stage: Stage) => tryFault(stage, fault) })),
  { name: RELOAD, gapMs: 4_000, run: tryReload },
]

/** At a time: the machine that this is made for has two cores. What is published has both for itself. */
const STAGES = FOR_THE_DOCS ? 1 : 2

describe.skipIf(labObstacle !== undefined)(`faults${labObstacle === undefined ? '' : ` (${labObstacle})`}`, () => {
  let pool: StagePool
  const results = new Map<string, FaultResult>()

  beforeAll(async () => {
    // The third site is where somebody moves to.
    pool = await StagePool.create(STAGES, [1, 1, 0])
  })
  afterAll(async () => {
    await pool?.close()
    const ordered = CASES.flatMap(({ name }) => results.get(name) ?? [])
    if (ordered.length === 0) return
    console.log(faultTable(ordered))
    await writeResults('nat-faults', ordered, faultPicture(ordered), { whole: ordered.length === CASES.length })
  })

  it.concurrent.each(CASES.map((one) => [one.name, one] as const))('%s', async (name, { gapMs, run }) => {
    const { result, lateMs } = await pool.use((stage) => notingLateness(() => run(stage)))
    results.set(name, result)
    const trace = `the machine was up to ${lateMs} ms late: ${JSON.stringify(result.traces, undefined, 1)}`
    expect(result, trace).toMatchObject({ lost: 0, repeated: 0, outOfOrder: 0, missed: [], unsettled: 0 })
    expect(result.arrived, trace).toBe(true)
    // Nothing comes while a machine stands still, nor while it then does what has been left.
    expect(result.longestGapMs, trace).toBeLessThanOrEqual(result.silenceMs + gapMs + 2 * lateMs)
    const { recoveryMs } = result.aims
    if (recoveryMs !== undefined) expect(result.recoveryMs, trace).toBeLessThanOrEqual(recoveryMs * FAR_BEYOND)
  })
})
