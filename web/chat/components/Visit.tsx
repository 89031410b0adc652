import { useRef, useState } from 'preact/hooks'
import { passedPassword, passPassword } from '../../ui/passed-password.ts'
import { type RoomLink, roomAddress } from '../../ui/room-link.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { ChatSession } from '../session/chat-session.ts'
import type { OwnIdentity } from '../session/own-identity.ts'
import { ChatPage } from './ChatPage.tsx'
import { FailedPage } from './FailedPage.tsx'
import { SecretPage, type SecretWanted } from './SecretPage.tsx'

export interface VisitProps {
  readonly root: URL
  readonly link: RoomLink
  readonly identity: OwnIdentity
  /** Goes into the room anew. @throws PartylineError when that cannot even be tried */
  readonly enter: (link: RoomLink, password: string | undefined) => ChatSession
}

type Stage =
  | { readonly at: 'asking'; readonly wanted: SecretWanted; readonly link: RoomLink }
  | { readonly at: 'inside'; readonly session: ChatSession; readonly link: RoomLink }
  | { readonly at: 'failed'; readonly error: unknown }

/** One visit after another: to the same room, or to another one when somebody pastes its link. */
export function Visit({ root, link: first, identity, enter }: VisitProps) {
  const goIn = (link: RoomLink, password = passedPassword(link.room)): Stage => {
    const { kind } = link.lock
    if (kind === 'damaged') return { at: 'asking', wanted: kind, link }
    if (kind === 'password' && password === undefined) return { at: 'asking', wanted: kind, link }
    if (kind === 'password') passPassword(link.room, password)
    try {
      return { at: 'inside', session: enter(link, password), link }
    } catch (error) {
      return { at: 'failed', error }
    }
  }
  const visits = useRef(1)
  const [stage, setStage] = useState<Stage>(() => goIn(first))
  const goTo = (link: RoomLink, password?: string): void => {
    history.replaceState(null, '', roomAddress(root, link))
    visits.current += 1
    setStage(goIn(link, password))
  }
  if (stage.at === 'failed') return <FailedPage root={root} error={stage.error} />
  const { link } = stage
  if (stage.at === 'asking') return <SecretPage root={root} link={link} wanted={stage.wanted} enter={goTo} />
  return (
    <Inside
      key={visits.current}
      root={root}
      session={stage.session}
      link={link}
      identity={identity}
      joinAgain={() => {
        void stage.session.leave()
        goTo(link)
      }}
      goTo={goTo}
    />
  )
}

interface InsideProps {
  readonly root: URL
  readonly session: ChatSession
  readonly link: RoomLink
  readonly identity: OwnIdentity
  readonly joinAgain: () => void
  readonly goTo: (link: RoomLink, password: string | undefined) => void
}

/** The room; or, when those who are there have another secret, the question for it. */
function Inside({ root, session, link, identity, joinAgain, goTo }: InsideProps) {
  const ending = useCell(session.ending)
  // Who was in keeps what was said.
  if (ending?.isWrongSecret === true && session.self.value.id === undefined) {
    return <SecretPage root={root} link={link} wanted="wrong" enter={goTo} />
  }
  return <ChatPage root={root} session={session} link={link} identity={identity} joinAgain={joinAgain} />
}
