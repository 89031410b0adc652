import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** How late the event loop came to what was due, over the last window of 10 s. */
export interface EventLoopDelay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What `monitorEventLoopDelay` gives, in ns. */
export interface DelayHistogram {
  readonly max: number
  percentile(percentile: number): number
  reset(): void
  disable(): void
}

/** Long enough that p99 says something, and as long as nobody scrapes more often than. */
const WINDOW_MS = 10_000
/** The histogram looks so often, and what it records includes the waiting: the delay is what is more than that. */
const RESOLUTION_MS = 50
const NS_PER_MS = 1_000_000

function systemHistogram(): DelayHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return histogram
}

/** Watches the event loop from its making until `stop`. Costs some 20 timer ticks a second, and nothing else. */
export class EventLoopWatch {
  readonly #histogram: DelayHistogram
  readonly #timer: NodeJS.Timeout
  #last: EventLoopDelay | undefined

  constructor(histogram: DelayHistogram = systemHistogram(), windowMs: number = WINDOW_MS) {
    this.#histogram = histogram
    this.#timer = setInterval(() => {
      this.#last = this.#present()
      histogram.reset()
    }, windowMs)
    this.#timer.unref()
  }

  /** Of the last whole window; in the first one, of what there is. */
  get delay(): EventLoopDelay {
    return this.#last ?? this.#present()
  }

  /** Seconds in which the loop was not idle, since the process started. */
  get busySeconds(): number {
    return performance.eventLoopUtilization().active / 1_000
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }

  #present(): EventLoopDelay {
    const delayMs = (ns: number): number => (ns > 0 ? Math.max(0, ns / NS_PER_MS - RESOLUTION_MS) : 0)
    const { max } = this.#histogram
    return {
      p50Ms: delayMs(this.#histogram.percentile(50)),
      p99Ms: delayMs(this.#histogram.percentile(99)),
      maxMs: delayMs(max),
    }
  }
}
