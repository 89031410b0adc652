import type { PathKind } from 'partyline'
import { formatMs } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'

export interface PathBadgeProps {
  readonly path: PathKind
  readonly rttMs: number | undefined
  readonly why: string
}

const MEANING: Readonly<Record<PathKind, string>> = Object.freeze({
  direct: 'messages go straight to this member',
  turn: 'messages go through a TURN server',
  relay: 'messages go through the Partyline server',
  none: 'no way to this member at the moment',
})

/** The path in use, in words and colour, and its round-trip time. */
export function PathBadge({ path, rttMs, why }: PathBadgeProps) {
  return (
    <span
      class={`badge badge-${path}`}
      data-testid={testIds.pathBadge}
      data-path={path}
      data-rtt={rttMs === undefined ? '' : Math.round(rttMs)}
      title={why === '' ? MEANING[path] : why}
    >
      <span class="badge-dot" aria-hidden="true" />
      {path === 'none' ? 'no path' : path}
      {path !== 'none' && rttMs !== undefined && <span class="badge-rtt">{formatMs(rttMs)}</span>}
      <span class="visually-hidden">: {MEANING[path]}</span>
    </span>
  )
}
