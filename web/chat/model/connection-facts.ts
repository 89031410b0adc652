import type { PeerStats, RoomStats } from 'partyline'
import { formatBytes, formatMs } from '../../ui/format.ts'

export interface Fact {
  readonly name: string
  readonly value: string
  /** Needs a line of its own. */
  readonly isLong?: boolean
}

const CANDIDATES: ReadonlyMap<string, string> = new Map([
  ['host', 'host (own address)'],
  ['srflx', 'srflx (address seen by STUN)'],
  ['prflx', 'prflx (address seen by the peer)'],
  ['relay', 'relay (address at the TURN server)'],
])
const candidate = (type: string | undefined): string => (type === undefined ? '–' : (CANDIDATES.get(type) ?? type))

export const linkFacts = (stats: PeerStats): readonly Fact[] => [
  { name: 'Own candidate', value: candidate(stats.localCandidate), isLong: true },
  { name: 'Their candidate', value: candidate(stats.remoteCandidate), isLong: true },
  { name: 'Protocol', value: stats.protocol ?? '–' },
  { name: 'Round trip', value: formatMs(stats.rttMs) },
  { name: 'Sent', value: formatBytes(stats.bytesSent) },
  { name: 'Received', value: formatBytes(stats.bytesReceived) },
  { name: 'Unacknowledged', value: formatBytes(stats.unacknowledgedBytes) },
  { name: 'Retransmissions', value: String(stats.retransmissions) },
  { name: 'Duplicates dropped', value: String(stats.duplicates) },
  { name: 'Connection attempts', value: String(stats.attempts) },
]

export const uplinkFacts = (stats: RoomStats): readonly Fact[] => [
  { name: 'State', value: stats.status },
  { name: 'Carrier', value: stats.carrier ?? '–' },
  { name: 'Uplink round trip', value: formatMs(stats.uplinkRttMs) },
  { name: 'Reconnections', value: String(stats.reconnections) },
  { name: 'Uplink sent', value: formatBytes(stats.bytesSent) },
  { name: 'Uplink received', value: formatBytes(stats.bytesReceived) },
]
