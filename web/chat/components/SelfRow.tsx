import { useState } from 'preact/hooks'
import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { ChatSession } from '../session/chat-session.ts'
import { Avatar } from './Avatar.tsx'
import { RenameForm } from './RenameForm.tsx'

/** Oneself in the list of members, and changing one's name. */
export function SelfRow({ session }: { readonly session: ChatSession }) {
  const [isRenaming, setRenaming] = useState(false)
  const { id, name } = useCell(session.self)
  return (
    <li class="member member-self" data-testid={testIds.selfRow} data-peer={id}>
      <Avatar id={id ?? 'self'} name={name} />
      {isRenaming ? (
        <RenameForm
          name={name}
          save={(chosen) => {
            setRenaming(false)
            void session.rename(chosen)
          }}
          cancel={() => setRenaming(false)}
        />
      ) : (
        <>
          <span class="member-facts">
            <bdi class="member-name" data-testid={testIds.memberName}>
              {name}
            </bdi>
            <span class="member-away">you</span>
          </span>
          <button
            type="button"
            class="button button-quiet button-icon button-small"
            aria-label="Change your name"
            title="Change your name"
            data-testid={testIds.rename}
            onClick={() => setRenaming(true)}
          >
            <Icon name="pencil" />
          </button>
        </>
      )}
    </li>
  )
}
