import type { PeerId } from 'partyline'
import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { ChatSession } from '../session/chat-session.ts'
import { Avatar } from './Avatar.tsx'
import { PathBadge } from './PathBadge.tsx'
import { SelfRow } from './SelfRow.tsx'

export interface MemberListProps {
  readonly session: ChatSession
  readonly inspect: (id: PeerId) => void
}

/** Everybody in the room; a click shows how the way to a member is. */
export function MemberList({ session, inspect }: MemberListProps) {
  const members = useCell(session.members.members)
  useCell(session.verified.changes)
  const numbers = useCell(session.safetyNumbers.known)
  return (
    <ul class="members" data-testid={testIds.members}>
      <SelfRow session={session} />
      {members.map((member) => (
        <li
          key={member.id}
          class={`member member-${member.presence}`}
          data-testid={testIds.member}
          data-peer={member.id}
          data-presence={member.presence}
          data-path={member.path}
          data-identity={member.identity}
        >
          <button type="button" class="member-button" onClick={() => inspect(member.id)}>
            <Avatar id={member.id} name={member.name} />
            <span class="member-facts">
              <span class="member-line">
                <bdi class="member-name" data-testid={testIds.memberName}>
                  {member.name}
                </bdi>
                {session.verified.has(member, numbers.get(member.id)) && (
                  <span class="member-verified" title="You compared safety numbers" data-testid={testIds.verifiedMark}>
                    <Icon name="shield" />
                    <span class="visually-hidden">verified by you</span>
                  </span>
                )}
                {member.isAltered && (
                  <span
                    class="member-altered"
                    title="The server shows a name that is not theirs, or not theirs any more"
                    data-testid={testIds.alteredMark}
                  >
                    <Icon name="warning" />
                    <span class="visually-hidden">name not confirmed</span>
                  </span>
                )}
              </span>
              {member.presence === 'away' && <span class="member-away">away</span>}
            </span>
            <PathBadge path={member.path} rttMs={member.rttMs} why={member.why} />
          </button>
        </li>
      ))}
    </ul>
  )
}
