import { ApiKeys } from './admin/api-keys.ts'
import { OperationsRoutes } from './admin/operations-routes.ts'
import type { HubStats } from './hub.ts'
import type { Log } from './log.ts'
import { LogThrottle } from './log-throttle.ts'
import { EventLoopWatch } from './metrics/event-loop.ts'
import { Exposition } from './metrics/exposition.ts'
import { pointOf, RECORD_EVERY_MS, Recorder } from './metrics/recorder.ts'
import { type Readiness, type TurnSnapshot, takeSnapshot } from './metrics/snapshot.ts'
import type { EngineName, HttpRequest, HttpResponse } from './net/network.ts'
import { OptionsError } from './options/errors.ts'
import { LiveOptions, type PrepareOptions } from './options/live.ts'
import { parseServerOptions } from './options/parse.ts'
import { flagName, type ServerOptions, type ServerOptionsInput } from './options/table.ts'
import type { WebhookStats } from './webhooks/webhooks.ts'

export interface OperationsParts {
  readonly options: ServerOptions
  readonly log: Log
  /** '' or '/party'. */
  readonly base: string
  readonly version: string
  readonly engine: EngineName
  /** Wall clock, ms since 1970. */
  readonly startedMs: number
  readonly hub: () => HubStats
  readonly turn: () => TurnSnapshot
  /** Undefined when nobody is told of events. */
  readonly webhooks: () => WebhookStats | undefined
}

const names = (keys: readonly string[]): string => keys.map(flagName).join(', ')

/** What whoever runs a server sees of it and changes in it: readiness, metrics, the admin page's data, live options. */
export class Operations {
  readonly apiKeys: ApiKeys
  readonly #log: Log
  readonly #live: LiveOptions
  readonly #routes: OperationsRoutes
  readonly #eventLoop = new EventLoopWatch()
  readonly #record: () => void
  readonly #recording: NodeJS.Timeout
  #readiness: Readiness = 'starting'
  #done = 0
  #refused = 0

  constructor(parts: OperationsParts) {
    const { options, log, base, version, engine, startedMs, hub, turn, webhooks } = parts
    this.#log = log
    this.#live = new LiveOptions(options)
    this.apiKeys = new ApiKeys(options.apiKey)
    this.onReload(
      ({ apiKey }) =>
        () =>
          this.apiKeys.replace(apiKey),
    )
    const sources = {
      ...{ version, engine, startedMs, hub, turn, webhooks },
      eventLoop: this.#eventLoop,
      readiness: () => this.#readiness,
      reloads: () => ({ done: this.#done, refused: this.#refused }),
    }
    const recorder = new Recorder()
    this.#record = () => recorder.record(pointOf(takeSnapshot(sources)))
    this.#recording = setInterval(this.#record, RECORD_EVERY_MS)
    this.#recording.unref()
    const throttle = new LogThrottle(() => performance.now())
    this.#routes = new OperationsRoutes({
      base,
      apiKeys: this.apiKeys,
      metricsFor: () => this.options.metrics,
      readiness: () => this.#readiness,
      snapshot: () => takeSnapshot(sources),
      exposition: new Exposition(),
      recorder,
      wrongKey: ({ socketAddress, path }) =>
        throttle.tell((unsaid) =>
          log.warn({ address: socketAddress, path, ...unsaid }, 'somebody has a wrong API key'),
        ),
    })
  }

  /** As they hold now. */
  get options(): ServerOptions {
    return this.#live.present
  }

  get readiness(): Readiness {
    return this.#readiness
  }

  /** New members are wanted. */
  opened(): void {
    this.#readiness = 'ready'
    this.#record()
  }

  /** The server is about to go away. */
  draining(): void {
    this.#readiness = 'draining'
  }

  /** See `LiveOptions.onReload`. */
  onReload(prepare: PrepareOptions): void {
    this.#live.onReload(prepare)
  }

  /**
   * Take other options, dropping nobody. Options that cannot be used are refused with one line of the log, and the old
   * ones go on. Says whether they were taken.
   */
  reload(read: () => ServerOptionsInput): boolean {
    try {
      const { changed, needRestart } = this.#live.reload(parseServerOptions(read()))
      this.#done += 1
      this.#log.info(
        {},
        changed.length === 0 ? 'the configuration was read again: nothing new' : `taken: ${names(changed)}`,
      )
      if (needRestart.length > 0) this.#log.warn({}, `only after a restart: ${names(needRestart)}`)
      return true
    } catch (error) {
      this.#refused += 1
      // Whatever it is, the server goes on as it was.
      const shown = error instanceof OptionsError ? {} : { err: error }
      const why = error instanceof Error ? error.message : String(error)
      this.#log.error(shown, `the new configuration is refused, the old one stays: ${why}`)
      return false
    }
  }

  /** Undefined when the request is for somebody else. */
  handle(request: HttpRequest, response: HttpResponse): Promise<void> | undefined {
    return this.#routes.handle(request, response)
  }

  stop(): void {
    clearInterval(this.#recording)
    this.#eventLoop.stop()
  }
}
