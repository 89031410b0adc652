/** What a long run of the simulation has found so far, kept in a file so that it can be run in parts and go on later. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Totals {
  readonly seeds: number
  readonly sent: number
  readonly delivered: number
  readonly missed: number
  readonly failures: readonly Failure[]
}

export interface Failure {
  readonly seed: number
  readonly violations: readonly string[]
  /** Shows it again, with its trace. */
  readonly replay: string
}

export interface Summary extends Totals {
  /** A digest of all source that takes part: what was found holds for this code. */
  readonly code: string
  readonly firstSeed: number
  /** The first that has not been run yet. */
  readonly nextSeed: number
  readonly seconds: number
  readonly updatedAt: string
}

export const NOTHING: Totals = { seeds: 0, sent: 0, delivered: 0, missed: 0, failures: [] }

export function added(all: readonly Totals[]): Totals {
  const sum = (key: 'seeds' | 'sent' | 'delivered' | 'missed'): number =>
    all.reduce((total, totals) => total + totals[key], 0)
  const failures = all.flatMap((totals) => totals.failures).sort((a, b) => a.seed - b.seed)
  return { seeds: sum('seeds'), sent: sum('sent'), delivered: sum('delivered'), missed: sum('missed'), failures }
}

/** What there is for this code from this seed on; an empty one, where there is none. */
export function readSummary(file: string, code: string, firstSeed: number): Summary {
  const empty = { ...NOTHING, code, firstSeed, nextSeed: firstSeed, seconds: 0, updatedAt: new Date(0).toISOString() }
  if (!existsSync(file)) return empty
  const found = JSON.parse(readFileSync(file, 'utf8')) as Summary
  return found.code === code && found.firstSeed === firstSeed ? found : empty
}

/** Whole or not at all: it may be looked at at any time. */
export function writeSummary(file: string, summary: Summary): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(summary, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

const TOP = fileURLToPath(new URL('../../', import.meta.url))
const TAKES_PART = ['signaling', 'web/client', 'test/simulation', 'test/support'] as const

export function digestOfCode(): string {
  const hash = createHash('sha256')
  for (const folder of TAKES_PART) {
    const names = readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((one) => one.endsWith('.ts') && !one.endsWith('.test.ts')).sort()) {
      hash.update(name).update(readFileSync(join(TOP, folder, name)))
    }
  }
  return hash.digest('hex').slice(0, 12)
}
