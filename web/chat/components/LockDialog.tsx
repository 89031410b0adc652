import { Dialog } from '../../ui/Dialog.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { LockMeaning } from '../model/lock-meaning.ts'
import type { ChatSession } from '../session/chat-session.ts'
import type { OwnIdentity } from '../session/own-identity.ts'
import { fullTimeOf, machineTimeOf, timeOf } from './entry-times.ts'
import { IdentityChoice } from './IdentityChoice.tsx'

export interface LockDialogProps {
  readonly session: ChatSession
  readonly meaning: LockMeaning
  readonly identity: OwnIdentity
  readonly joinAgain: () => void
  readonly makePrivate: () => void
  readonly onClose: () => void
}

/** What the lock means for this room, what was refused in it, and this browser's identity. */
export function LockDialog({ session, meaning, identity, joinAgain, makePrivate, onClose }: LockDialogProps) {
  const refusals = useCell(session.refusals)
  const { sealing } = session.room
  return (
    <Dialog title={meaning.title} onClose={onClose} testId={testIds.lockDialog}>
      <div class="lock-words" data-testid={testIds.lockMeaning}>
        {meaning.text.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </div>
      {sealing !== 'secret' && (
        <button type="button" class="button" data-testid={testIds.makePrivate} onClick={makePrivate}>
          <Icon name="lock" />
          Make a private link
        </button>
      )}
      {refusals.length > 0 && (
        <>
          <h3>What was refused</h3>
          <ul class="refusals">
            {refusals.map(({ key, code, text, times, atMs }) => (
              <li key={key} data-testid={testIds.refusal} data-code={code}>
                <bdi>{text}</bdi>{' '}
                <span class="refusal-facts">
                  {times > 1 ? `${times} times, last at ` : ''}
                  <time dateTime={machineTimeOf(atMs)} title={fullTimeOf(atMs)}>
                    {timeOf(atMs)}
                  </time>{' '}
                  <code>{code}</code>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {sealing !== 'open' && identity.isPossible && <IdentityChoice identity={identity} joinAgain={joinAgain} />}
    </Dialog>
  )
}
