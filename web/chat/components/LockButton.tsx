import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { LockMeaning } from '../model/lock-meaning.ts'
import { isAlarming } from '../model/refusal.ts'
import type { ChatSession } from '../session/chat-session.ts'

export interface LockButtonProps {
  readonly session: ChatSession
  readonly meaning: LockMeaning
  readonly onClick: () => void
}

/** The lock in the header; a click says what it means. A point on it: something was refused. */
export function LockButton({ session, meaning, onClick }: LockButtonProps) {
  const refusals = useCell(session.refusals)
  const isAlarmed = refusals.some(({ code }) => isAlarming(code))
  return (
    <button
      type="button"
      class={`lock lock-${session.room.sealing}`}
      data-testid={testIds.lock}
      data-sealing={session.room.sealing}
      data-refused={refusals.length}
      title={meaning.title}
      onClick={onClick}
    >
      <Icon name={meaning.isClosed ? 'lock' : 'unlock'} />
      <span class="lock-word">{meaning.word}</span>
      <span class="visually-hidden">: {meaning.title}. What this means</span>
      {isAlarmed && (
        <>
          <span class="lock-alarm" aria-hidden="true" />
          <span class="visually-hidden">; something was refused</span>
        </>
      )}
    </button>
  )
}
