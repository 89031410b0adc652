import type { PeerId } from 'partyline'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../../ui/Dialog.tsx'
import { InsecureNotice } from '../../ui/InsecureNotice.tsx'
import { ShareLink } from '../../ui/ShareLink.tsx'
import { roomAddress } from '../../ui/site-address.ts'
import { useCell } from '../../ui/use-cell.ts'
import { titleOf } from '../model/unread.ts'
import type { ChatSession } from '../session/chat-session.ts'
import { ChatHeader } from './ChatHeader.tsx'
import { ClosedNotice } from './ClosedNotice.tsx'
import { Composer } from './Composer.tsx'
import { ConnectionDialog } from './ConnectionDialog.tsx'
import { DropArea } from './DropArea.tsx'
import { MemberList } from './MemberList.tsx'
import { usePageVisible } from './page-visible.ts'
import { StatusBanner } from './StatusBanner.tsx'
import { Timeline } from './Timeline.tsx'
import { TypingLine } from './TypingLine.tsx'
import { useWideScreen } from './wide-screen.ts'

export interface ChatPageProps {
  readonly session: ChatSession
  readonly root: URL
  readonly joinAgain: () => void
}

type Shown = { readonly dialog: 'share' | 'members' } | { readonly dialog: 'connection'; readonly id: PeerId }

export function ChatPage({ session, root, joinAgain }: ChatPageProps) {
  const isVisible = usePageVisible()
  const isWide = useWideScreen()
  const [shown, setShown] = useState<Shown | undefined>(undefined)
  const close = (): void => setShown(undefined)
  const room = session.room.name
  const ending = useCell(session.ending)
  const unread = useCell(session.timeline.unread).count
  const status = useCell(session.status)
  const memberCount = useCell(session.members.members).length + 1
  const inspect = (id: PeerId): void => setShown({ dialog: 'connection', id })
  /** One after another: pictures are measured first, and files would overtake them. */
  const offerFiles = async (files: Iterable<File>): Promise<void> => {
    for (const file of files) await session.outgoing.offer(file)
  }
  useEffect(() => {
    document.title = titleOf(room, unread)
  }, [room, unread])

  return (
    <div class="chat">
      <ChatHeader
        root={root}
        room={room}
        status={status}
        memberCount={memberCount}
        share={() => setShown({ dialog: 'share' })}
        showMembers={() => setShown({ dialog: 'members' })}
        leave={() => void session.leave()}
      />
      <main class="chat-main">
        <DropArea offerFiles={offerFiles}>
          <InsecureNotice />
          <StatusBanner status={status} />
          <Timeline session={session} isVisible={isVisible} />
          <TypingLine session={session} />
          {ending === undefined ? (
            <Composer session={session} offerFiles={offerFiles} />
          ) : (
            <ClosedNotice ending={ending} joinAgain={joinAgain} root={root} />
          )}
        </DropArea>
        {isWide && (
          <aside class="chat-aside" aria-label="Members">
            <h2>In this room</h2>
            <MemberList session={session} inspect={inspect} />
          </aside>
        )}
      </main>
      {shown?.dialog === 'share' && (
        <Dialog title="Bring somebody in" onClose={close}>
          <p>Whoever has this link can come in.</p>
          <ShareLink address={roomAddress(root, room)} room={room} />
        </Dialog>
      )}
      {shown?.dialog === 'members' && (
        <Dialog title="In this room" onClose={close}>
          <MemberList session={session} inspect={inspect} />
        </Dialog>
      )}
      {shown?.dialog === 'connection' && <ConnectionDialog session={session} id={shown.id} onClose={close} />}
    </div>
  )
}
