/**
 * `npm run sim -- --seeds N [--seed S] [--peers P] [--jobs J] [--summary FILE]`: N random schedules from seed S on.
 * `--seed` alone runs that one and prints its trace. With `--summary` the file says, every thousand seeds, what has been
 * found so far, and the same command goes on where it was stopped, until the code changes. Exits with 1 when a promise
 * was broken, and says how to see it again.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runSchedule, type ScheduleResult } from './schedule.ts'
import { shapeOf } from './shape.ts'
import { added, digestOfCode, type Failure, NOTHING, readSummary, type Totals, writeSummary } from './summary.ts'

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
const MOST_VIOLATIONS = 5

function whole(name: 'seeds' | 'seed' | 'peers' | 'jobs', least: number, most: number): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  console.error(`--${name}: expected a whole number from ${least} to ${most}, got ${text}`)
  process.exit(2)
}

/** Of what is run at a time: the seeds from here on, and how many. */
interface Part {
  readonly first: number
  readonly count: number
}

const first = whole('seed', 0, 2 ** 32 - 1) ?? 1
const count = whole('seeds', 1, 10_000_000) ?? 1
const peers = whole('peers', 1, 16)
const jobs = Math.min(whole('jobs', 1, 64) ?? 1, count)

function tell({ seed, violations, replay }: Failure, trace: readonly string[]): void {
  console.log(`seed ${seed}: ${violations.length} promises broken`)
  for (const violation of violations.slice(0, MOST_VIOLATIONS)) console.log(`  ${violation}`)
  console.log(`  see it again: ${replay}`)
  if (trace.length > 0) console.log(trace.join('\n'))
}

function failureOf({ seed, violations }: ScheduleResult): Failure {
  const peersOption = peers === undefined ? '' : ` --peers ${peers}`
  return { seed, violations, replay: `npm run sim -- --seed ${seed}${peersOption}` }
}

async function run({ first: from, count: seeds }: Part, step: number): Promise<Totals> {
  let totals = NOTHING
  for (let seed = from; seed < from + seeds; seed += step) {
    const trace: string[] = []
    const traced = count === 1 || values.trace
    const result = await runSchedule({
      seed,
      ...shapeOf(seed, peers),
      ...(traced ? { trace: (line: string) => void trace.push(line) } : {}),
    })
    const broken = result.violations.length > 0
    if (broken || count === 1) tell(failureOf(result), trace)
    const missed = Object.values(result.missed).reduce((sum, one) => sum + one, 0)
    const failures = broken ? [failureOf(result)] : []
    totals = added([totals, { seeds: 1, sent: result.sent, delivered: result.delivered, missed, failures }])
  }
  return totals
}

/** A process for each job; of J of them, each takes every J-th seed. */
class Workers {
  readonly #children: readonly ChildProcess[]

  constructor() {
    this.#children = Array.from({ length: jobs }, (_, index) =>
      fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
        env: { ...process.env, PARTYLINE_SIM_PART: String(index) },
      }),
    )
  }

  async run(part: Part): Promise<Totals> {
    const answers = this.#children.map(
      (child) =>
        new Promise<Totals>((resolve, reject) => {
          const ended = (code: number | null): void => reject(new Error(`a part of the simulation ended with ${code}`))
          child.once('exit', ended)
          child.once('message', (totals) => {
            child.off('exit', ended)
            resolve(totals as Totals)
          })
          child.send(part)
        }),
    )
    return added(await Promise.all(answers))
  }

  end(): void {
    for (const child of this.#children) child.disconnect()
  }
}

async function runInParts(summaryFile: string): Promise<Totals> {
  const code = digestOfCode()
  let summary = readSummary(summaryFile, code, first)
  if (summary.seeds > 0) console.log(`going on from seed ${summary.nextSeed}, after ${summary.seeds} seeds`)
  const workers = new Workers()
  while (summary.nextSeed < first + count) {
    const startedMs = Date.now()
    const part = { first: summary.nextSeed, count: Math.min(PART_SEEDS, first + count - summary.nextSeed) }
    const totals = added([summary, await workers.run(part)])
    const seconds = Math.round(summary.seconds + (Date.now() - startedMs) / 1_000)
    const nextSeed = part.first + part.count
    summary = { ...totals, code, firstSeed: first, nextSeed, seconds, updatedAt: new Date().toISOString() }
    writeSummary(summaryFile, summary)
  }
  workers.end()
  return summary
}

async function runAtOnce(): Promise<Totals> {
  if (jobs === 1) return run({ first, count }, 1)
  const workers = new Workers()
  const totals = await workers.run({ first, count })
  workers.end()
  return totals
}

/** Which of the jobs this process is; the one that was started is none. */
const job = process.env.PARTYLINE_SIM_PART
if (job !== undefined) {
  process.on('message', async (part: Part) => {
    process.send?.(await run({ first: part.first + Number(job), count: part.count - Number(job) }, jobs))
  })
} else {
  const startedMs = Date.now()
  const totals = values.summary === undefined ? await runAtOnce() : await runInParts(values.summary)
  const seconds = (Date.now() - startedMs) / 1_000
  console.log(
    `${totals.seeds} seeds in ${seconds.toFixed(1)} s: ${totals.sent} messages sent, ${totals.delivered} delivered, ` +
      `${totals.missed} reported as missed, ${totals.failures.length} seeds with a broken promise`,
  )
  process.exitCode = totals.failures.length > 0 ? 1 : 0
}
