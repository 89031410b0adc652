/**
 * `npm run sim -- --seeds N [--seed S] [--peers P] [--jobs J]`: N random schedules from seed S on. `--seed` alone runs
 * that one and prints its trace. Exits with 1 when a promise was broken, and says how to see it again.
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runSchedule, type ScheduleResult } from './schedule.ts'
import { shapeOf } from './shape.ts'

interface Totals {
  seeds: number
  broken: number
  sent: number
  delivered: number
  missed: number
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    peers: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
  },
})

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

function tell(result: ScheduleResult, trace: readonly string[]): void {
  const peersOption = peers === undefined ? '' : ` --peers ${peers}`
  console.log(`seed ${result.seed}: ${result.violations.length} promises broken`)
  for (const violation of result.violations.slice(0, 5)) console.log(`  ${violation}`)
  console.log(`  see it again: npm run sim -- --seed ${result.seed}${peersOption}`)
  if (trace.length > 0) console.log(trace.join('\n'))
}

async function run(from: number, step: number, until: number): Promise<Totals> {
  const totals: Totals = { seeds: 0, broken: 0, sent: 0, delivered: 0, missed: 0 }
  for (let seed = from; seed < until; seed += step) {
    const trace: string[] = []
    const traced = count === 1 || values.trace
    const result = await runSchedule({
      seed,
      ...shapeOf(seed, peers),
      ...(traced ? { trace: (line: string) => void trace.push(line) } : {}),
    })
    totals.seeds += 1
    totals.sent += result.sent
    totals.delivered += result.delivered
    totals.missed += Object.values(result.missed).reduce((sum, missed) => sum + missed, 0)
    if (result.violations.length > 0) totals.broken += 1
    if (result.violations.length > 0 || count === 1) tell(result, trace)
  }
  return totals
}

function add(all: readonly Totals[]): Totals {
  const sum = (key: keyof Totals): number => all.reduce((total, totals) => total + totals[key], 0)
  return {
    seeds: sum('seeds'),
    broken: sum('broken'),
    sent: sum('sent'),
    delivered: sum('delivered'),
    missed: sum('missed'),
  }
}

const part = process.env.PARTYLINE_SIM_PART
if (part !== undefined) {
  const totals = await run(first + Number(part), jobs, first + count)
  process.send?.(totals, undefined, undefined, () => process.disconnect())
} else {
  const startedMs = Date.now()
  const parts =
    jobs === 1
      ? [await run(first, 1, first + count)]
      : await Promise.all(
          Array.from({ length: jobs }, (_, index) => {
            const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
              env: { ...process.env, PARTYLINE_SIM_PART: String(index) },
            })
            return new Promise<Totals>((resolve, reject) => {
              child.on('message', (totals) => resolve(totals as Totals))
              child.on('exit', (code) => reject(new Error(`a part of the simulation ended with ${code}`)))
            })
          }),
        )
  const totals = add(parts)
  const seconds = (Date.now() - startedMs) / 1_000
  console.log(
    `${totals.seeds} seeds in ${seconds.toFixed(1)} s: ${totals.sent} messages sent, ${totals.delivered} delivered, ` +
      `${totals.missed} reported as missed, ${totals.broken} seeds with a broken promise`,
  )
  process.exitCode = totals.broken > 0 ? 1 : 0
}
