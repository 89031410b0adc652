import type { PeerId } from 'partyline'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../../ui/Dialog.tsx'
import { InsecureNotice } from '../../ui/InsecureNotice.tsx'
import { type RoomLink, roomAddress } from '../../ui/room-link.ts'
import { ShareLink } from '../../ui/ShareLink.tsx'
import { useCell } from '../../ui/use-cell.ts'
import { meaningOf } from '../model/lock-meaning.ts'
import { titleOf } from '../model/unread.ts'
import type { ChatSession } from '../session/chat-session.ts'
import type { OwnIdentity } from '../session/own-identity.ts'
import { ChatHeader } from './ChatHeader.tsx'
import { ClosedNotice } from './ClosedNotice.tsx'
import { Composer } from './Composer.tsx'
import { ConnectionDialog } from './ConnectionDialog.tsx'
import { DropArea } from './DropArea.tsx'
import { LockButton } from './LockButton.tsx'
import { LockDialog } from './LockDialog.tsx'
import { MemberList } from './MemberList.tsx'
import { OpenRoomWarning } from './OpenRoomWarning.tsx'
import { PrivateRoomDialog } from './PrivateRoomDialog.tsx'
import { usePageVisible } from './page-visible.ts'
import { StatusBanner } from './StatusBanner.tsx'
import { Timeline } from './Timeline.tsx'
import { TypingLine } from './TypingLine.tsx'
import { useWideScreen } from './wide-screen.ts'

export interface ChatPageProps {
  readonly session: ChatSession
  readonly root: URL
  readonly link: RoomLink
  readonly identity: OwnIdentity
  readonly joinAgain: () => void
}

type Shown =
  | { readonly dialog: 'share' | 'members' | 'lock' | 'private' }
  | { readonly dialog: 'connection'; readonly id: PeerId }

const INVITATION: Readonly<Record<RoomLink['lock']['kind'], string>> = Object.freeze({
  secret: 'Whoever has this link can come in and read along; nobody else can. Its secret is never sent to the server.',
  password: 'Whoever has this link and the password can come in. Tell the password by another way.',
  none: 'Whoever has this link, or knows the room’s name, can come in.',
  damaged: 'A part of this link is missing.',
})

export function ChatPage({ session, root, link, identity, joinAgain }: ChatPageProps) {
  const isVisible = usePageVisible()
  const isWide = useWideScreen()
  const [shown, setShown] = useState<Shown | undefined>(undefined)
  const close = (): void => setShown(undefined)
  const { name: room, sealing } = session.room
  const meaning = meaningOf(sealing, link.lock.kind)
  const makePrivate = (): void => setShown({ dialog: 'private' })
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
        lock={<LockButton session={session} meaning={meaning} onClick={() => setShown({ dialog: 'lock' })} />}
        status={status}
        memberCount={memberCount}
        share={() => setShown({ dialog: 'share' })}
        showMembers={() => setShown({ dialog: 'members' })}
        leave={() => void session.leave()}
      />
      <main class="chat-main">
        <DropArea offerFiles={offerFiles}>
          <InsecureNotice />
          {sealing !== 'secret' && <OpenRoomWarning sealing={sealing} makePrivate={makePrivate} />}
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
          <p>{INVITATION[link.lock.kind]}</p>
          <ShareLink address={roomAddress(root, link)} room={room} />
        </Dialog>
      )}
      {shown?.dialog === 'members' && (
        <Dialog title="In this room" onClose={close}>
          <MemberList session={session} inspect={inspect} />
        </Dialog>
      )}
      {shown?.dialog === 'lock' && (
        <LockDialog
          session={session}
          meaning={meaning}
          identity={identity}
          joinAgain={joinAgain}
          makePrivate={makePrivate}
          onClose={close}
        />
      )}
      {shown?.dialog === 'private' && <PrivateRoomDialog root={root} room={room} onClose={close} />}
      {shown?.dialog === 'connection' && <ConnectionDialog session={session} id={shown.id} onClose={close} />}
    </div>
  )
}
