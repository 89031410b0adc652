import { cpus, loadavg, totalmem } from 'node:os'
import { rounded } from './figure.ts'

/** What the figures were measured on, and what else it had to do. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGb: number
  readonly node: string
  readonly chromium: string
  readonly at: string
  /** Mean number of runnable processes in the minute before, and in the minute at the end; more than the cores: expect noise. */
  readonly loadBefore: number
  readonly loadAfter: number
}

export const loadNow = (): number => rounded(loadavg()[0] ?? 0)

export function describeMachine(chromium: string, loadBefore: number): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    chromium,
    at: new Date().toISOString(),
    loadBefore,
    loadAfter: loadNow(),
  }
}
