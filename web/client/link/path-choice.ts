import type { Outlet } from '../delivery/outlet.ts'

/** What the choice of a path goes by. */
export interface PathCandidate {
  readonly kind: Outlet['kind']
  readonly tag: number
  /** Its own ping has been answered, and nothing has been overdue since. */
  readonly usable: boolean
  /** Smoothed; `undefined` until measured. */
  readonly rttMs: number | undefined
  /** It failed a short while ago: not to be promoted to before this, unless nothing else is usable. */
  readonly heldBackUntilMs: number
}

const RANK = Object.freeze({ direct: 0, turn: 1, relay: 2 } as const)
/** Among paths of one kind, the present one stays unless another is clearly quicker: by a fifth, and by 5 ms. */
const CLEARLY = 0.8
const CLEARLY_MS = 5

/**
 * Which path the next frame takes: direct before turn before relay, then the quicker one. Pure; its table is the test.
 * Returns `undefined` when none is usable.
 */
export function choosePath<Candidate extends PathCandidate>(
  candidates: readonly Candidate[],
  currentTag: number | undefined,
  nowMs: number,
): Candidate | undefined {
  const usable = candidates.filter((candidate) => candidate.usable)
  const ready = usable.filter(({ tag, heldBackUntilMs }) => tag === currentTag || heldBackUntilMs <= nowMs)
  let best: Candidate | undefined
  for (const candidate of ready.length > 0 ? ready : usable) {
    if (best === undefined || better(candidate, best, currentTag)) best = candidate
  }
  return best
}

function better(a: PathCandidate, b: PathCandidate, currentTag: number | undefined): boolean {
  if (RANK[a.kind] !== RANK[b.kind]) return RANK[a.kind] < RANK[b.kind]
  const aRttMs = a.rttMs ?? Number.POSITIVE_INFINITY
  const bRttMs = b.rttMs ?? Number.POSITIVE_INFINITY
  if (b.tag === currentTag) return aRttMs < bRttMs * CLEARLY && aRttMs < bRttMs - CLEARLY_MS
  if (a.tag === currentTag) return !(bRttMs < aRttMs * CLEARLY && bRttMs < aRttMs - CLEARLY_MS)
  return aRttMs < bRttMs
}
