import { useState } from 'preact/hooks'
import type { ChatSession } from '../session/chat-session.ts'
import { ChatPage } from './ChatPage.tsx'

export interface VisitProps {
  readonly root: URL
  readonly first: ChatSession
  /** Goes into the same room anew. */
  readonly enter: () => ChatSession
}

/** One visit after another to the same room. */
export function Visit({ root, first, enter }: VisitProps) {
  const [visit, setVisit] = useState({ session: first, number: 1 })
  return (
    <ChatPage
      key={visit.number}
      root={root}
      session={visit.session}
      joinAgain={() => setVisit({ session: enter(), number: visit.number + 1 })}
    />
  )
}
