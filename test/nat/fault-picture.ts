import type { FaultResult } from './fault-run.ts'
import { drawing, label } from './picture.ts'

const LEFT = 420
const WIDTH = 420
const ROW = 22
const TOP = 60
/** The scale is logarithmic: from 10 ms to 20 s. */
const DECADES = Math.log10(20_000 / 10)
const TICKS_MS = [10, 100, 500, 1_000, 10_000]

const across = (ms: number): number => (Math.max(0, Math.log10(Math.max(ms, 10) / 10)) / DECADES) * WIDTH

/** Bars: the longest time in which nothing came; pale, the part that the fault itself made impossible. */
export function faultPicture(results: readonly FaultResult[]): string {
  const bottom = TOP + results.length * ROW
  const title = 'Longest gap in delivery, with 50 messages a second both ways (ms, logarithmic)'
  const parts = [
    label(8, 20, title, 'start'),
    ...TICKS_MS.flatMap((ms) => {
      const x = Math.round(LEFT + across(ms))
      return [
        `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${bottom}" stroke="#888" stroke-opacity="0.4"/>`,
        label(x, TOP - 10, ms.toLocaleString('en'), 'middle'),
      ]
    }),
  ]
  for (const [index, { fault, longestGapMs, silenceMs }] of results.entries()) {
    const y = TOP + index * ROW
    const bar = (ms: number, fill: string): string =>
      `<rect x="${LEFT}" y="${y + 4}" width="${across(ms).toFixed(1)}" height="${ROW - 8}" rx="2" fill="${fill}"/>`
    parts.push(label(LEFT - 8, y + 15, fault, 'end'), bar(longestGapMs, '#3b7dd8'))
    if (silenceMs > 0) parts.push(bar(Math.min(silenceMs, longestGapMs), '#9db8d8'))
    parts.push(label(Math.round(LEFT + across(longestGapMs) + 6), y + 15, longestGapMs.toLocaleString('en'), 'start'))
  }
  return drawing(title, LEFT + WIDTH + 60, bottom + 10, parts)
}
