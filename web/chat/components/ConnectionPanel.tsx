import type { PeerId, PeerStats } from 'partyline'
import { useEffect, useState } from 'preact/hooks'
import { useCell } from '../../ui/use-cell.ts'
import { linkFacts, uplinkFacts } from '../model/connection-facts.ts'
import type { ChatSession } from '../session/chat-session.ts'
import { FactList } from './FactList.tsx'
import { PathBadge } from './PathBadge.tsx'
import { RoundTripPlot } from './RoundTripPlot.tsx'
import { SafetyNumber } from './SafetyNumber.tsx'

export interface ConnectionPanelProps {
  readonly session: ChatSession
  readonly id: PeerId
}

/** All there is to know about the way to one member. */
export function ConnectionPanel({ session, id }: ConnectionPanelProps) {
  const beat = useCell(session.beat)
  const samples = useCell(session.members.samples)
  const member = useCell(session.members.members).find((one) => one.id === id)
  const [stats, setStats] = useState<PeerStats | undefined>(undefined)
  useEffect(() => {
    let isCurrent = true
    session.room.peers
      .get(id)
      ?.stats()
      .then(
        (found) => {
          if (isCurrent) setStats(found)
        },
        () => undefined, // The member left meanwhile: the last figures stay.
      )
    return () => {
      isCurrent = false
    }
  }, [session, id, beat])

  return (
    <>
      {member === undefined ? (
        <p>This member has left.</p>
      ) : (
        <p class="panel-path">
          <PathBadge path={member.path} rttMs={member.rttMs} why={member.why} />
          <span>{member.why}</span>
        </p>
      )}
      {member?.isAltered && (
        <p class="panel-altered">
          The server shows a name that is not theirs, or not theirs any more: what this member says of itself is
          another.
        </p>
      )}
      <RoundTripPlot samples={samples.get(id) ?? []} />
      {member !== undefined && <SafetyNumber session={session} member={member} />}
      <h3>This member</h3>
      {stats === undefined ? <p>Asking…</p> : <FactList facts={linkFacts(stats)} />}
      <h3>Uplink to the server</h3>
      <FactList facts={uplinkFacts(session.room.stats())} />
    </>
  )
}
