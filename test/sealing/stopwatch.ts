/** What something took: on the clock, and, where that can be read, in processor time of the whole process, all threads. */
export interface Spent {
  readonly clock: number
  readonly processor: number | undefined
}

/** Does the work and says what it took, in ms times `scale`. */
export type Stopwatch = (scale: number, work: () => Promise<unknown>) => Promise<Spent>

/** `processorMs`: processor time up to now. Undefined where nobody says, as in a page. */
export function stopwatchWith(processorMs: (() => number) | undefined): Stopwatch {
  return async (scale, work) => {
    const startedMs = performance.now()
    const before = processorMs?.() ?? 0
    await work()
    const clock = (performance.now() - startedMs) * scale
    return { clock, processor: processorMs === undefined ? undefined : (processorMs() - before) * scale }
  }
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const rounded = (value: number): number => Number(value.toPrecision(3))

/** Medians of the two, each on its own. */
export function medianOf(all: readonly Spent[]): Spent {
  const processor = all.flatMap((one) => one.processor ?? [])
  return {
    clock: rounded(median(all.map(({ clock }) => clock))),
    processor: processor.length === 0 ? undefined : rounded(median(processor)),
  }
}
