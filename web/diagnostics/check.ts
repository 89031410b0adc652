import type { joinRoom } from 'partyline'

export type Verdict = 'good' | 'poor' | 'bad' | 'skipped'

/** What a check found, for people. */
export interface Finding {
  readonly verdict: Verdict
  readonly text: string
  /** Further lines, for those who look closer and for the report. */
  readonly details?: readonly string[]
}

/** What checks are given. */
export interface CheckContext {
  readonly root: URL
  readonly joinRoom: typeof joinRoom
  /** Of the room, as far as its peer connections have shown them. */
  readonly iceServers: () => readonly RTCIceServer[]
  /** A room of this run alone. */
  readonly room: string
  readonly signal: AbortSignal
}

export interface Check {
  readonly id: string
  readonly title: string
  readonly run: (context: CheckContext) => Promise<Finding>
}
