import type { DirectKind, PathStatistics } from './path.ts'

/** One entry of a stats report, as far as we read it. Browsers leave fields out. */
interface StatsEntry {
  readonly id: string
  readonly type: string
  readonly selectedCandidatePairId?: string
  readonly selected?: boolean
  readonly nominated?: boolean
  readonly state?: string
  readonly localCandidateId?: string
  readonly remoteCandidateId?: string
  readonly candidateType?: string
  readonly protocol?: string
  readonly relayProtocol?: string
  readonly currentRoundTripTime?: number
  readonly bytesSent?: number
  readonly bytesReceived?: number
}

/** What of an RTCStatsReport is needed: a Map is one. */
export interface StatsReport {
  forEach(callback: (entry: unknown) => void): void
}

const NOTHING: PathStatistics = Object.freeze({
  localCandidate: undefined,
  remoteCandidate: undefined,
  protocol: undefined,
  rttMs: undefined,
  bytesSent: undefined,
  bytesReceived: undefined,
})

/** The transport names the pair in use; Firefox marks the pair instead; failing both, the nominated one that works. */
function selectedPair(entries: ReadonlyMap<string, StatsEntry>): StatsEntry | undefined {
  let nominated: StatsEntry | undefined
  let marked: StatsEntry | undefined
  for (const entry of entries.values()) {
    if (entry.type === 'transport' && entry.selectedCandidatePairId !== undefined) {
      const pair = entries.get(entry.selectedCandidatePairId)
      if (pair !== undefined) return pair
    }
    if (entry.type !== 'candidate-pair') continue
    if (entry.selected === true) marked = entry
    if (entry.nominated === true && entry.state === 'succeeded') nominated = entry
  }
  return marked ?? nominated
}

/** What the selected candidate pair of a peer connection says; nothing while there is none. */
export function readStatistics(report: StatsReport): PathStatistics {
  const entries = new Map<string, StatsEntry>()
  report.forEach((entry) => {
    entries.set((entry as StatsEntry).id, entry as StatsEntry)
  })
  const pair = selectedPair(entries)
  if (pair === undefined) return NOTHING
  const local = entries.get(pair.localCandidateId ?? '')
  const remote = entries.get(pair.remoteCandidateId ?? '')
  const rtt = pair.currentRoundTripTime
  return {
    localCandidate: local?.candidateType,
    remoteCandidate: remote?.candidateType,
    protocol: local?.candidateType === 'relay' ? (local.relayProtocol ?? local.protocol) : local?.protocol,
    rttMs: typeof rtt === 'number' ? rtt * 1_000 : undefined,
    bytesSent: pair.bytesSent,
    bytesReceived: pair.bytesReceived,
  }
}

/** `undefined` when the statistics do not tell. */
export function kindOf(statistics: PathStatistics): DirectKind | undefined {
  const { localCandidate, remoteCandidate } = statistics
  if (localCandidate === 'relay' || remoteCandidate === 'relay') return 'turn'
  return localCandidate === undefined ? undefined : 'direct'
}
