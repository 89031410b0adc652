import { testIds } from '../../ui/test-ids.ts'
import type { Ending } from '../model/problem.ts'

export interface ClosedNoticeProps {
  readonly ending: Ending
  readonly joinAgain: () => void
  readonly root: URL
}

/** Stands in the composer's place when the room is over. */
export function ClosedNotice({ ending, joinAgain, root }: ClosedNoticeProps) {
  return (
    <section class="closed" role="alert" data-testid={testIds.closedNotice}>
      <div>
        <strong>{ending.title}.</strong> {ending.text}
      </div>
      <div class="closed-actions">
        {ending.again && (
          <button type="button" class="button button-primary" data-testid={testIds.joinAgain} onClick={joinAgain}>
            Go in again
          </button>
        )}
        <a class="button" href={root.href}>
          Other rooms
        </a>
      </div>
    </section>
  )
}
