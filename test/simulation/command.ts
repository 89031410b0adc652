/**
 * `npm run sim -- --seeds N [--seed S] [--peers P] [--jobs J] [--summary FILE]`: N random schedules from seed S on.
 * `--seed` alone runs that one and prints its trace. With `--summary` the file says, every thousand seeds, what has been
 * found so far, and the same command goes on where it was stopped, until the code changes. Exits with 1 when a promise
 * was broken, and says how to see it again.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Part, runPart } from './job.ts'
import { added, digestOfCode, readSummary, type Totals, writeSummary } from './summary.ts'
import { Workers } from './workers.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    peers: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    summary: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

/** Seeds between two writings of the summary. */
const PART_SEEDS = 1_000

function whole(name: 'seeds' | 'seed' | 'peers' | 'jobs', least: number, most: number): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  console.error(`--${name}: expected a whole number from ${least} to ${most}, got ${text}`)
  process.exit(2)
}

const first = whole('seed', 0, 2 ** 32 - 1) ?? 1
const count = whole('seeds', 1, 10_000_000) ?? 1
const peers = whole('peers', 1, 16)
const jobs = Math.min(whole('jobs', 1, 64) ?? 1, count)

/** So many seeds from this one on. */
const partOf = (from: number, seeds: number): Part => ({
  first: from,
  end: from + seeds,
  step: 1,
  peers,
  trace: count === 1 ? 'all' : values.trace ? 'broken' : 'none',
})

async function runInParts(workers: Workers, summaryFile: string): Promise<Totals> {
  const code = digestOfCode()
  let summary = readSummary(summaryFile, code, first)
  if (summary.seeds > 0) console.log(`going on from seed ${summary.nextSeed}, after ${summary.seeds} seeds`)
  while (summary.nextSeed < first + count) {
    const startedMs = Date.now()
    const seeds = Math.min(PART_SEEDS, first + count - summary.nextSeed)
    const totals = added([summary, await workers.run(partOf(summary.nextSeed, seeds))])
    const seconds = Math.round(summary.seconds + (Date.now() - startedMs) / 1_000)
    const nextSeed = summary.nextSeed + seeds
    summary = { ...totals, code, firstSeed: first, nextSeed, seconds, updatedAt: new Date().toISOString() }
    writeSummary(summaryFile, summary)
  }
  return summary
}

async function run(): Promise<Totals> {
  if (count === 1) return runPart(partOf(first, 1))
  const workers = await Workers.start(jobs)
  try {
    const { summary } = values
    return await (summary === undefined ? workers.run(partOf(first, count)) : runInParts(workers, summary))
  } finally {
    workers.end()
  }
}

const startedMs = Date.now()
const totals = await run()
const seconds = (Date.now() - startedMs) / 1_000
console.log(
  `${totals.seeds} seeds in ${seconds.toFixed(1)} s: ${totals.sent} messages sent, ${totals.delivered} delivered, ` +
    `${totals.missed} reported as missed, ${totals.failures.length} seeds with a broken promise`,
)
process.exitCode = totals.failures.length > 0 ? 1 : 0
