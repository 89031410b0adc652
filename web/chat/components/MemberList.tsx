import type { PeerId } from 'partyline'
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
        >
          <button type="button" class="member-button" onClick={() => inspect(member.id)}>
            <Avatar id={member.id} name={member.name} />
            <span class="member-facts">
              <bdi class="member-name" data-testid={testIds.memberName}>
                {member.name}
              </bdi>
              {member.presence === 'away' && <span class="member-away">away</span>}
            </span>
            <PathBadge path={member.path} rttMs={member.rttMs} why={member.why} />
          </button>
        </li>
      ))}
    </ul>
  )
}
