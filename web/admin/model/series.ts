import type { Point } from './server-data.ts'

/** A value at a time, ms since 1970. */
export interface Sample {
  readonly atMs: number
  readonly value: number
}

/** How long plots look back, at most and at least. */
const MOST_SPAN_MS = 900_000
const LEAST_SPAN_MS = 60_000

type Totals = 'framesTotal' | 'bytesTotal' | 'deliveriesTotal' | 'droppedTotal' | 'busySecondsTotal'

/** Points of before and new ones, the oldest forgotten. A total that went back is another life of the server. */
export function withNewer(known: readonly Point[], newer: readonly Point[]): readonly Point[] {
  const lastMs = known.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
  const all = [...known, ...newer.filter(({ atMs }) => atMs > lastMs)]
  const fromMs = (all.at(-1)?.atMs ?? 0) - MOST_SPAN_MS
  return all.filter(({ atMs }) => atMs >= fromMs)
}

export const valuesOf = (points: readonly Point[], value: (point: Point) => number): readonly Sample[] =>
  points.map((point) => ({ atMs: point.atMs, value: value(point) }))

/** What a total grew by in a second, between each point and the one before. */
export function ratesOf(points: readonly Point[], total: Totals): readonly Sample[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1]
    if (before === undefined || point.atMs <= before.atMs || point[total] < before[total]) return []
    return [{ atMs: point.atMs, value: ((point[total] - before[total]) * 1_000) / (point.atMs - before.atMs) }]
  })
}

/** The time that plots show: what there is, within bounds. */
export function spanOf(points: readonly Point[]): number {
  const knownMs = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0)
  return Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, knownMs))
}

/** The top of a plot's scale: a round number that all values fit below. */
export function scaleTop(samples: readonly Sample[]): number {
  const most = Math.max(0, ...samples.map(({ value }) => value))
  if (most === 0) return 1
  const magnitude = 10 ** Math.floor(Math.log10(most))
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= most) ?? 10
  return step * magnitude
}

export interface PlotBox {
  readonly width: number
  readonly height: number
  /** What the width stands for. */
  readonly spanMs: number
  /** What the height stands for. */
  readonly top: number
}

/** A line as SVG wants it; the right edge of the box is the newest sample. */
export function linePoints(samples: readonly Sample[], { width, height, spanMs, top }: PlotBox): string {
  const newestMs = samples.at(-1)?.atMs ?? 0
  return samples
    .map(({ atMs, value }) => {
      const x = width * (1 - (newestMs - atMs) / spanMs)
      const y = height * (1 - Math.min(1, value / top))
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
