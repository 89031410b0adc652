import { NAT_KINDS, type NatKind } from './lab/nat-kinds.ts'

export type ExpectedPath = 'direct' | 'turn' | 'relay'

const PUNCHABLE: ReadonlySet<NatKind> = new Set(['public', 'full cone', 'address-restricted', 'port-restricted'])

/** The best path there can be between members behind two NATs. */
export function expectedPath(a: NatKind, b: NatKind): ExpectedPath {
  const kinds = [a, b]
  if (kinds.includes('WebRTC blocked')) return 'relay'
  if (kinds.includes('UDP blocked') || kinds.includes('only TCP 443')) return 'turn'
  if (!kinds.includes('symmetric')) return 'direct'
  // A symmetric NAT has another port for every peer. Who filters by port, or has another such NAT, cannot know it.
  const other = a === 'symmetric' ? b : a
  return PUNCHABLE.has(other) && other !== 'port-restricted' ? 'direct' : 'turn'
}

export interface Pair {
  readonly a: NatKind
  readonly b: NatKind
  /** Both behind one and the same NAT: their network is theirs, whatever the NAT does. */
  readonly together: boolean
  readonly path: ExpectedPath
}

/** Every pair of kinds, and for every kind two behind the same NAT. */
export const PAIRS: readonly Pair[] = NAT_KINDS.flatMap((a, index) => [
  ...NAT_KINDS.slice(index).map((b) => ({ a, b, together: false, path: expectedPath(a, b) })),
  { a, b: a, together: true, path: 'direct' as const },
])
