import type { HubStats } from '../hub.ts'
import type { EngineName } from '../net/network.ts'
import type { WebhookStats } from '../webhooks/webhooks.ts'
import type { EventLoopDelay, EventLoopWatch } from './event-loop.ts'

/** What the server knows of itself at one moment: metrics, the admin page and its plots are all made from this. */
export interface Snapshot {
  /** Wall clock, ms since 1970. */
  readonly atMs: number
  readonly startedMs: number
  readonly version: string
  readonly engine: EngineName
  readonly readiness: Readiness
  readonly hub: HubStats
  readonly turn: TurnSnapshot
  /** Undefined when nobody is told of events. */
  readonly webhooks: WebhookStats | undefined
  readonly reloads: ReloadCounts
  readonly eventLoop: EventLoopDelay
  readonly process: ProcessSnapshot
}

/** `draining`: it goes away, and wants no new members. */
export type Readiness = 'starting' | 'ready' | 'draining'

export interface TurnSnapshot {
  /** `off`, `external`, or how the local coturn does. */
  readonly state: string
  readonly credentialsIssued: number
}

export interface ReloadCounts {
  readonly done: number
  readonly refused: number
}

export interface ProcessSnapshot {
  readonly residentBytes: number
  readonly heapUsedBytes: number
  /** Buffers and what native code holds. */
  readonly externalBytes: number
  /** User and system. */
  readonly cpuSeconds: number
  /** In which the event loop was not idle. */
  readonly busySeconds: number
}

/** Where each part of a snapshot comes from. */
export interface SnapshotSources {
  readonly startedMs: number
  readonly version: string
  readonly engine: EngineName
  readonly eventLoop: EventLoopWatch
  readonly readiness: () => Readiness
  readonly hub: () => HubStats
  readonly turn: () => TurnSnapshot
  readonly webhooks: () => WebhookStats | undefined
  readonly reloads: () => ReloadCounts
}

export function takeSnapshot(sources: SnapshotSources): Snapshot {
  const { startedMs, version, engine, eventLoop } = sources
  const { rss, heapUsed, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return {
    atMs: Date.now(),
    ...{ startedMs, version, engine },
    readiness: sources.readiness(),
    hub: sources.hub(),
    turn: sources.turn(),
    webhooks: sources.webhooks(),
    reloads: sources.reloads(),
    eventLoop: eventLoop.delay,
    process: {
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      externalBytes: external,
      cpuSeconds: (user + system) / 1e6,
      busySeconds: eventLoop.busySeconds,
    },
  }
}
