/** Runs seeds, one after another. As a process of its own it takes parts from its parent, and answers each with totals. */
import { runSchedule, type ScheduleResult } from './schedule.ts'
import { shapeOf } from './shape.ts'
import { added, type Failure, NOTHING, type Totals } from './summary.ts'

/** The seeds from `first` on, every `step`-th of them, below `end`. */
export interface Part {
  readonly first: number
  readonly end: number
  readonly step: number
  readonly peers: number | undefined
  /** Print the trace of a seed that breaks a promise, or of whichever is run. */
  readonly trace: 'none' | 'broken' | 'all'
}

const MOST_VIOLATIONS = 5

function tell({ seed, violations, replay }: Failure, trace: readonly string[]): void {
  console.log(`seed ${seed}: ${violations.length} promises broken`)
  for (const violation of violations.slice(0, MOST_VIOLATIONS)) console.log(`  ${violation}`)
  console.log(`  see it again: ${replay}`)
  if (trace.length > 0) console.log(trace.join('\n'))
}

function failureOf({ seed, violations }: ScheduleResult, { peers }: Part): Failure {
  const peersOption = peers === undefined ? '' : ` --peers ${peers}`
  return { seed, violations, replay: `npm run sim -- --seed ${seed}${peersOption}` }
}

export async function runPart(part: Part): Promise<Totals> {
  let totals = NOTHING
  for (let seed = part.first; seed < part.end; seed += part.step) {
    const trace: string[] = []
    const result = await runSchedule({
      seed,
      ...shapeOf(seed, part.peers),
      ...(part.trace === 'none' ? {} : { trace: (line: string) => void trace.push(line) }),
    })
    const broken = result.violations.length > 0
    if (broken || part.trace === 'all') tell(failureOf(result, part), trace)
    const missed = Object.values(result.missed).reduce((sum, one) => sum + one, 0)
    const failures = broken ? [failureOf(result, part)] : []
    totals = added([totals, { seeds: 1, sent: result.sent, delivered: result.delivered, missed, failures }])
  }
  return totals
}

/** As a process: one part at a time, until the parent has no more, or is gone. */
export function serve(): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async (part: Part) => process.send?.(await runPart(part)))
}
