import type { PathKind } from 'partyline'

export interface RoundTripSample {
  readonly atMs: number
  readonly path: PathKind
  /** `undefined`: not measured then. */
  readonly rttMs: number | undefined
}

/** Samples kept for each member: two minutes at one a second. */
export const ROUND_TRIP_SAMPLES = 120

export const withSample = (
  samples: readonly RoundTripSample[],
  sample: RoundTripSample,
  most: number = ROUND_TRIP_SAMPLES,
): readonly RoundTripSample[] => [...samples.slice(Math.max(0, samples.length + 1 - most)), sample]

/** The least round number, ms, that holds all samples: the top of the plot's scale. */
export function scaleTop(samples: readonly RoundTripSample[]): number {
  const highest = Math.max(1, ...samples.map((sample) => sample.rttMs ?? 0))
  const power = 10 ** Math.floor(Math.log10(highest))
  return ([1, 2, 5, 10].find((step) => step * power >= highest) ?? 10) * power
}

/** A stretch of samples on one path without a hole, as points from 0 to 1 in both directions; y grows upwards. */
export interface PlotStretch {
  readonly path: PathKind
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export function plotStretches(
  samples: readonly RoundTripSample[],
  most: number = ROUND_TRIP_SAMPLES,
): readonly PlotStretch[] {
  const top = scaleTop(samples)
  const stretches: { path: PathKind; points: { x: number; y: number }[] }[] = []
  let hole = true
  samples.forEach((sample, index) => {
    if (sample.rttMs === undefined) {
      hole = true
      return
    }
    // The newest sample stands at the right edge, so that the line grows from there.
    const point = { x: 1 - (samples.length - 1 - index) / (most - 1), y: sample.rttMs / top }
    const current = stretches.at(-1)
    if (hole || current?.path !== sample.path) stretches.push({ path: sample.path, points: [point] })
    else current.points.push(point)
    hole = false
  })
  return stretches
}
