/** A coturn of our own as a child process: started, watched, restarted and stopped. */

import { type TurnCredentials, turnCredentials } from '../credentials.ts'
import { parseTurnOptions, type TurnOptions, type TurnOptionsInput } from '../options.ts'
import { sleep, systemTurnClock, type TurnClock } from './clock.ts'
import { type CoturnProcess, type LaunchRequest, launchCoturn } from './coturn-process.ts'
import { findExecutable, installHint } from './executable.ts'
import { acceptsCredentials, answersStun } from './health.ts'
import type { TurnLogger } from './log.ts'
import { checkPorts, findTurnservers, type PortCheck, portMessage } from './port-check.ts'
import { makeRunFolder, type RunFolder } from './run-folder.ts'
import type { StunTarget } from './stun-socket.ts'

/** Where a {@link LocalTurn} stands. */
export type LocalTurnState =
  /** Not started yet, or stopped on purpose. */
  | { readonly status: 'stopped' }
  /** coturn is being looked for, started, and asked whether it answers. */
  | { readonly status: 'starting' }
  /** It answers STUN and accepts credentials. `complaints`: what coturn said about its configuration; empty is good. */
  | {
      readonly status: 'running'
      readonly pid: number
      readonly sinceMs: number
      readonly complaints: readonly string[]
    }
  /** It died, hung or did not come up, `failures` times in a row, and is started again at `retryAtMs`. */
  | { readonly status: 'waiting'; readonly failures: number; readonly retryAtMs: number; readonly reason: string }
  /** It cannot run here until the operator does what `message` says. Rooms work without it. */
  | { readonly status: 'unavailable'; readonly reason: UnavailableReason; readonly message: string }
  /** `stop()` was called and the process is not gone yet. */
  | { readonly status: 'stopping' }

/** Why there is no local TURN. Stable, for code to compare. */
export type UnavailableReason =
  | 'not-installed'
  | 'port-busy'
  | 'port-forbidden'
  /** coturn did not understand a line that keeps members out of the operator's network, and was stopped. */
  | 'unsafe-configuration'

/** What a {@link LocalTurn} is made from. */
export interface LocalTurnSettings {
  readonly options: TurnOptionsInput
  readonly logger: TurnLogger
  /** For the configuration and coturn's files; made when missing, for one server at a time. Default: a temporary one. */
  readonly folder?: string | undefined
  /** Default: `turnserver` on the PATH. */
  readonly executable?: string | undefined
  /** Called on every change of state, after it. */
  readonly onState?: ((state: LocalTurnState) => void) | undefined
}

/** What it needs from the outside; tests bring their own. */
export interface LocalTurnDependencies {
  readonly clock: TurnClock
  findExecutable(name: string): Promise<string | undefined>
  checkPorts(options: TurnOptions): Promise<PortCheck>
  makeRunFolder(options: TurnOptions, folder: string | undefined): Promise<RunFolder>
  launch(request: LaunchRequest): CoturnProcess
  answersStun(target: StunTarget, timeoutMs: number, signal: AbortSignal): Promise<boolean>
  acceptsCredentials(
    target: StunTarget,
    credentials: TurnCredentials,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean>
}

const systemDependencies: LocalTurnDependencies = Object.freeze({
  clock: systemTurnClock,
  findExecutable,
  checkPorts,
  makeRunFolder,
  launch: launchCoturn,
  answersStun,
  acceptsCredentials,
})

/** coturn answers within some 50 ms; ten seconds is for a small machine that is booting. */
const START_MS = 10_000
/** Three unanswered checks in a row, some half a minute: a server that swaps for a moment is not killed for it. */
const CHECK_EVERY_MS = 10_000
const CHECK_TIMEOUT_MS = 2_000
const CHECKS_MISSED = 3
const PORT_WAITS = 4
const PORT_WAIT_MS = 250
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000
/** A coturn that ran this long was well: the next failure counts as the first. */
const STEADY_MS = 60_000
/** Options without which coturn would relay for anyone, or to anywhere. */
const SAFETY_LINE = /denied-peer-ip|no-multicast-peers|use-auth-secret|static-auth-secret|no-tcp-relay|Wrong address/

/** How long to wait before the restart after `failures` failures in a row: 250 ms, doubling, at most 30 s. */
export const restartDelayMs = (failures: number): number =>
  Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 20))

type AttemptEnd =
  | Extract<LocalTurnState, { status: 'unavailable' }>
  | { readonly status: 'failed'; readonly reason: string }

/**
 * Runs coturn with a generated configuration. Rooms never depend on it: while it is away, members are relayed.
 *
 * coturn listens on the addresses the machine has when it starts; `stop()` and `start()` after a change of network.
 * @example
 * const turn = new LocalTurn({ options: { secrets: [secret] }, logger })
 * const state = await turn.start()
 * if (state.status === 'unavailable') console.log(state.message)
 */
export class LocalTurn {
  readonly options: TurnOptions
  readonly #settings: LocalTurnSettings
  readonly #dependencies: LocalTurnDependencies
  #state: LocalTurnState = { status: 'stopped' }
  /** One run, from `start()` to `stop()`. */
  #run: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined
  #settled: (() => void)[] = []

  /** @throws TurnOptionsError */
  constructor(settings: LocalTurnSettings, dependencies: LocalTurnDependencies = systemDependencies) {
    this.options = parseTurnOptions(settings.options)
    this.#settings = settings
    this.#dependencies = dependencies
  }

  get state(): LocalTurnState {
    return this.#state
  }

  /**
   * Start, or do nothing when started. Resolves with the first state that says how it went: `running`, `unavailable`,
   * `waiting` (it goes on trying) or `stopped`. Never rejects.
   */
  async start(): Promise<LocalTurnState> {
    if (this.#state.status === 'stopping') await this.stop()
    if (this.#state.status === 'stopped' || this.#state.status === 'unavailable') {
      const abort = new AbortController()
      this.#setState({ status: 'starting' })
      this.#run = { abort, ended: this.#supervise(abort.signal) }
    }
    if (this.#state.status === 'starting') await new Promise<void>((resolve) => this.#settled.push(resolve))
    return this.#state
  }

  /** Stop coturn and remove what was written. Resolves when the process is gone. Never rejects. */
  async stop(): Promise<void> {
    const run = this.#run
    if (run === undefined) return
    if (this.#state.status !== 'stopping') this.#setState({ status: 'stopping' })
    run.abort.abort()
    await run.ended
    // Of several calls at once, one ends it.
    if (this.#run !== run) return
    this.#run = undefined
    this.#setState({ status: 'stopped' })
  }

  #setState(next: LocalTurnState): void {
    this.#state = next
    if (next.status !== 'starting' && next.status !== 'stopping') {
      for (const resolve of this.#settled.splice(0)) resolve()
    }
    try {
      this.#settings.onState?.(next)
    } catch (error) {
      this.#settings.logger.error({ err: error }, 'a listener of the state of TURN failed')
    }
  }

  /** Attempt after attempt, until stopped or unavailable. */
  async #supervise(signal: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies
    const { logger } = this.#settings
    let failures = 0
    while (!signal.aborted) {
      const startedMs = clock.nowMs()
      const end = await this.#attempt(signal, failures === 0).catch((error: unknown) => ({
        status: 'failed' as const,
        reason: error instanceof Error ? error.message : String(error),
      }))
      if (signal.aborted) return
      if (end.status === 'unavailable') {
        logger.warn({ reason: end.reason }, end.message)
        return this.#setState(end)
      }
      failures = clock.nowMs() - startedMs >= STEADY_MS ? 1 : failures + 1
      const delayMs = restartDelayMs(failures)
      logger.warn({ reason: end.reason, failures, delayMs }, 'coturn is not running; it is started again')
      this.#setState({ status: 'waiting', failures, retryAtMs: clock.nowMs() + delayMs, reason: end.reason })
      if (await sleep(clock, delayMs, signal)) this.#setState({ status: 'starting' })
    }
  }

  async #attempt(signal: AbortSignal, first: boolean): Promise<AttemptEnd> {
    const { options } = this
    const { clock, ...needs } = this.#dependencies
    const { logger, folder } = this.#settings
    const executable = await needs.findExecutable(this.#settings.executable ?? 'turnserver')
    if (executable === undefined) {
      return { status: 'unavailable', reason: 'not-installed', message: await installHint() }
    }
    const runFolder = await needs.makeRunFolder(options, folder)
    try {
      const ports = await this.#portsOnceFree(signal)
      if (ports.status !== 'free') {
        const message = portMessage(ports, await findTurnservers())
        // After a crash whatever holds the port may be what is left of it: try again.
        if (!first) return { status: 'failed', reason: message }
        return { status: 'unavailable', reason: ports.status === 'busy' ? 'port-busy' : 'port-forbidden', message }
      }
      if (signal.aborted) return { status: 'failed', reason: 'stopped' }
      const coturn = needs.launch({ executable, ...runFolder, logger, clock })
      return await this.#watch(coturn, signal)
    } finally {
      await runFolder.remove()
    }
  }

  /** A port is given a second to get free: the guard of a server that was killed just now may still be ending its coturn. */
  async #portsOnceFree(signal: AbortSignal): Promise<PortCheck> {
    const { clock, checkPorts } = this.#dependencies
    for (let waits = 0; ; waits++) {
      const ports = await checkPorts(this.options)
      if (ports.status !== 'busy' || waits >= PORT_WAITS) return ports
      if (!(await sleep(clock, PORT_WAIT_MS, signal))) return ports
    }
  }

  /** From the start of a process to its end. Whatever happens here, the process is gone afterwards. */
  async #watch(coturn: CoturnProcess, signal: AbortSignal): Promise<AttemptEnd> {
    const { clock, answersStun } = this.#dependencies
    const { logger } = this.#settings
    const over = new AbortController()
    const watching = AbortSignal.any([signal, over.signal])
    const exited = coturn.exited.then((how) => {
      over.abort()
      return how
    })
    try {
      if (!(await this.#comesUp(watching))) {
        await coturn.stop()
        return { status: 'failed', reason: `coturn did not come up: ${await exited}` }
      }
      const complaints = [...coturn.complaints()]
      const unsafe = complaints.find((line) => SAFETY_LINE.test(line))
      if (unsafe !== undefined) {
        const message = `TURN is off, because this version of coturn does not take a safety option: ${unsafe}`
        return { status: 'unavailable', reason: 'unsafe-configuration', message }
      }
      const { pid } = coturn
      if (pid === undefined || watching.aborted) return { status: 'failed', reason: await exited }
      this.#setState({ status: 'running', pid, sinceMs: clock.nowMs(), complaints })
      logger.info({ pid, port: this.options.port }, 'coturn is running')
      let missed = 0
      while (await sleep(clock, CHECK_EVERY_MS, watching)) {
        missed = (await answersStun(this.#stunTarget(), CHECK_TIMEOUT_MS, watching)) ? 0 : missed + 1
        if (missed < CHECKS_MISSED || watching.aborted) continue
        coturn.kill()
        return { status: 'failed', reason: `coturn did not answer, ${await exited}` }
      }
      if (signal.aborted) await coturn.stop()
      return { status: 'failed', reason: `coturn ${await exited}` }
    } finally {
      await coturn.stop()
    }
  }

  async #comesUp(signal: AbortSignal): Promise<boolean> {
    const { clock, answersStun, acceptsCredentials } = this.#dependencies
    const target = this.#stunTarget()
    if (!(await answersStun(target, START_MS, signal))) return false
    const [secret = ''] = this.options.secrets
    const credentials = turnCredentials({ secret, peerId: 'health-check', nowMs: clock.nowMs() })
    return acceptsCredentials(target, credentials, START_MS, signal)
  }

  #stunTarget(): StunTarget {
    return { address: this.options.listenAddresses[0] ?? '127.0.0.1', port: this.options.port }
  }
}
