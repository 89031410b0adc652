import type { Snapshot } from './snapshot.ts'

/** One point of the admin page's plots. Totals count from the server's start; the page makes rates of them. */
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

/** Fine enough for a plot of a quarter of an hour, and 20 KB in all. */
export const RECORD_EVERY_MS = 5_000
const MOST_POINTS = 180

export function pointOf({ atMs, hub, process, eventLoop }: Snapshot): Point {
  return {
    atMs,
    rooms: hub.rooms,
    here: hub.members - hub.away,
    away: hub.away,
    framesTotal: hub.frames,
    bytesTotal: hub.frameBytes,
    deliveriesTotal: hub.deliveries,
    droppedTotal: hub.droppedSlow + hub.droppedAbsent,
    busySecondsTotal: process.busySeconds,
    residentBytes: process.residentBytes,
    eventLoopP99Ms: eventLoop.p99Ms,
  }
}

/** The last quarter of an hour, so that the admin page has something to show when it is opened. */
export class Recorder {
  readonly #points: Point[] = []

  record(point: Point): void {
    this.#points.push(point)
    if (this.#points.length > MOST_POINTS) this.#points.shift()
  }

  /** Oldest first. */
  get points(): readonly Point[] {
    return this.#points
  }
}
