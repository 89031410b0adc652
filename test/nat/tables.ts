import type { FaultResult } from './fault-run.ts'
import type { PairResult } from './pairs.test.ts'

type Cell = string | number | undefined

/** Columns in line, numbers to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '–')))]
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)))
  const isNumber = head.map((_, column) => rows.every((row) => typeof row[column] !== 'string'))
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => (isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return texts.map(line).join('\n')
}

export const pairTable = (results: readonly PairResult[]): string =>
  textTable(
    [
      'NAT',
      'NAT',
      'delivered',
      'lost',
      'repeated',
      'disorder',
      'first ms',
      'upgrade ms',
      'path',
      'rtt ms',
      'gap ms',
      'relapses',
    ],
    results.map((result) => [
      result.a,
      result.together ? 'the same' : result.b,
      result.delivered,
      result.lost,
      result.repeated,
      result.outOfOrder,
      result.firstMessageMs,
      result.upgradeMs,
      [...new Set(result.finalPaths)].join(' / '),
      result.rttMs,
      result.longestGapMs,
      result.relapses,
    ]),
  )

const aim = (most: number | undefined, holds: boolean | undefined): string | undefined =>
  most === undefined ? undefined : `${most} ${holds ? 'yes' : 'NO'}`

export const faultTable = (results: readonly FaultResult[]): string =>
  textTable(
    [
      'fault',
      'delivered',
      'lost',
      'repeated',
      'disorder',
      'silence ms',
      'gap ms',
      'goal',
      'delay ms',
      'recovery ms',
      'goal',
      'path',
    ],
    results.map((result) => [
      result.fault,
      result.delivered,
      result.lost,
      result.repeated,
      result.outOfOrder,
      result.silenceMs,
      result.longestGapMs,
      aim(result.aims.gapMs, result.holds.gap),
      result.longestDelayMs,
      result.recoveryMs,
      aim(result.aims.recoveryMs, result.holds.recovery),
      result.arrived ? result.after : `not ${result.after}`,
    ]),
  )
