/** What the server tells of itself at `admin/data`; see signaling/metrics/snapshot.ts and recorder.ts. */

export interface ServerData {
  readonly present: Present
  /** One every 5 s, for a quarter of an hour; oldest first. */
  readonly points: readonly Point[]
}

export interface Present {
  readonly atMs: number
  readonly startedMs: number
  readonly version: string
  readonly engine: string
  readonly readiness: string
  readonly hub: {
    readonly rooms: number
    readonly members: number
    readonly away: number
    readonly unjoined: number
    readonly deliveries: number
    readonly droppedSlow: number
    readonly droppedAbsent: number
    readonly joins: number
    readonly resumes: number
    readonly carriers: Readonly<Record<string, number>>
    readonly links: { readonly direct: number; readonly turn: number; readonly relay: number }
    readonly refused: Readonly<Record<string, number>>
    readonly closed: Readonly<Record<string, number>>
  }
  readonly turn: { readonly state: string; readonly credentialsIssued: number }
  readonly eventLoop: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }
  readonly process: { readonly residentBytes: number; readonly busySeconds: number }
}

/** Totals count from the server's start. */
export interface Point {
  readonly atMs: number
  readonly rooms: number
  readonly here: number
  readonly away: number
  readonly framesTotal: number
  readonly bytesTotal: number
  readonly deliveriesTotal: number
  readonly droppedTotal: number
  readonly busySecondsTotal: number
  readonly residentBytes: number
  readonly eventLoopP99Ms: number
}

export interface RoomRow {
  readonly name: string
  readonly members: number
  readonly away: number
}

export interface MemberRow {
  readonly id: string
  readonly userId?: string
  readonly profile: unknown
  readonly presence: string
  /** ms since 1970. */
  readonly joinedAtMs: number
}

/** A part of a list, and where the next part begins, if there is one. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}
