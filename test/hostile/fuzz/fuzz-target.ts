/** A world in which inputs are tried, one by one. */
export interface FuzzWorld {
  /** Feeds the input that this seed makes. Rejects when something happens that must not. */
  feed(seed: number): Promise<void>
  /** After the last: rejects when something was left behind. */
  end(): Promise<void>
}

export interface FuzzTarget {
  readonly name: string
  begin(): Promise<FuzzWorld>
}

export interface FuzzOutcome {
  readonly target: string
  readonly inputs: number
  readonly seconds: number
}

/** A world lives for so many inputs: what an input meets was left by those before it, back to a multiple of this. */
export const CHAPTER = 1_000

/** Feeds `count` inputs, those of the seeds from `first` on. Rejects at the first that goes wrong, naming its seed. */
export async function fuzz(target: FuzzTarget, first: number, count: number): Promise<FuzzOutcome> {
  const startedMs = performance.now()
  for (let from = first; from < first + count; ) {
    const to = Math.min(first + count, (Math.floor(from / CHAPTER) + 1) * CHAPTER)
    const world = await target.begin()
    let seed = from
    try {
      for (; seed < to; seed += 1) await world.feed(seed)
      await world.end()
    } catch (error) {
      const replay = `npm run fuzz -- --target ${target.name} --seed ${seed}`
      const what = error instanceof Error ? error.message : String(error)
      throw new Error(`${target.name}, seed ${seed}: ${what}\nsee it again: ${replay}`, { cause: error })
    }
    from = to
  }
  return { target: target.name, inputs: count, seconds: (performance.now() - startedMs) / 1_000 }
}

/** Everything hostile is taken for granted; this is not. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
