import type { RoomStatus } from 'partyline'
import type { ComponentChildren } from 'preact'
import { Icon } from '../../ui/Icon.tsx'
import { Logo } from '../../ui/Logo.tsx'
import { ThemeToggle } from '../../ui/ThemeToggle.tsx'
import { testIds } from '../../ui/test-ids.ts'

export interface ChatHeaderProps {
  readonly root: URL
  readonly room: string
  readonly status: RoomStatus
  /** Beside the room's name. */
  readonly lock: ComponentChildren
  readonly memberCount: number
  readonly share: () => void
  readonly showMembers: () => void
  readonly leave: () => void
}

export function ChatHeader({ root, room, lock, status, memberCount, share, showMembers, leave }: ChatHeaderProps) {
  return (
    <header class="chat-header">
      <a class="site-name" href={root.href} aria-label="Partyline: start page" title="Start page">
        <Logo />
      </a>
      <h1 class="chat-room">
        <bdi data-testid={testIds.roomName}>{room}</bdi>
      </h1>
      {lock}
      <span class={`status status-${status}`} data-testid={testIds.roomStatus} data-status={status}>
        <span class="status-dot" aria-hidden="true" />
        <span class="status-word">{status}</span>
      </span>
      <div class="chat-header-actions">
        <button type="button" class="button" data-testid={testIds.openShare} onClick={share}>
          <Icon name="share" />
          <span class="wide-only">Invite</span>
          <span class="visually-hidden narrow-only">Invite</span>
        </button>
        <button
          type="button"
          class="button narrow-only"
          data-testid={testIds.openMembers}
          aria-label={`Members: ${memberCount}`}
          onClick={showMembers}
        >
          <Icon name="people" />
          {memberCount}
        </button>
        <ThemeToggle />
        <button
          type="button"
          class="button button-quiet button-icon"
          data-testid={testIds.leave}
          aria-label="Leave the room"
          title="Leave the room"
          disabled={status === 'closed'}
          onClick={leave}
        >
          <Icon name="leave" />
        </button>
      </div>
    </header>
  )
}
