import { useEffect } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { Member } from '../model/member.ts'
import { numberLasts } from '../model/number-lasts.ts'
import type { ChatSession } from '../session/chat-session.ts'

export interface SafetyNumberProps {
  readonly session: ChatSession
  readonly member: Member
}

/** The number that two people compare, and whether they have. */
export function SafetyNumber({ session, member }: SafetyNumberProps) {
  useCell(session.verified.changes)
  const { id, identity, name } = member
  const digits = useCell(session.safetyNumbers.known).get(id)
  // It may not be there yet: asked again until it is.
  const beat = useCell(session.beat)
  useEffect(() => {
    if (digits === undefined) void session.safetyNumbers.want(id)
  }, [session, id, digits, beat])
  if (session.room.sealing === 'open') return null
  const isVerified = session.verified.has(member, digits)
  return (
    <section aria-label="Safety number" class="safety">
      <h3>Safety number</h3>
      <p
        class="safety-digits"
        translate={false}
        data-testid={testIds.safetyNumber}
        data-verified={isVerified}
        data-identity={identity ?? ''}
      >
        {digits ?? 'Reading…'}
      </p>
      <p>
        Compare it by telephone or face to face. When <bdi>{name}</bdi> sees the same number, nobody sits between you.
      </p>
      <p class="safety-hint">{numberLasts(identity, session.showsIdentity)}</p>
      <label class="check">
        <input
          type="checkbox"
          data-testid={testIds.safetyVerify}
          checked={isVerified}
          disabled={digits === undefined}
          onChange={(event) => {
            if (digits !== undefined) session.verified.set(member, digits, event.currentTarget.checked)
          }}
        />
        <span>We have compared it{identity === undefined ? ' (for this visit)' : ' (kept in this browser)'}</span>
      </label>
    </section>
  )
}
