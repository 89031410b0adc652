/**
 * What the server keeps of a room, before there is code for it: loaded when there is a use for it, again and again
 * where it does not come; told then of the newest welcome, and asked about each live message, since something kept may
 * have to come before it.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import type { KeptRoom, Message, Payload } from '../face.ts'
import { Later } from '../later.ts'
import type { Welcome } from '../uplink/uplink.ts'
import type { RoomHistory, RoomHistoryDeps } from './room-history.ts'

export interface HistoryOnDemandDeps {
  /** Resolves with what makes it, once it is loaded. Rejects when it cannot be. */
  load(): Promise<(before: Pick<RoomHistoryDeps, 'early' | 'cameAtMs'>) => RoomHistory>
  readonly clock: Clock
  /** Resolves when the room is over. */
  readonly closed: Promise<PartylineError | undefined>
  /** What has waited on all channels is to be handed on. */
  release(): void
}

/** Runs of ids of live messages that are kept until the code comes. */
const MOST_EARLY = 4_096
/** What is live waits for the code no longer than for the server's answer. */
const CODE_MS = 5_000
/** Further ones, in some 30 s at first, and in minutes once they are far apart: the server may be about to be started again. */
const TRIES = 5

const takeAtOnce: RoomHistory['hear'] = (channel, message) => channel.take(message as Message<Payload>)
const holdBack: RoomHistory['hear'] = () => false

export class HistoryOnDemand {
  readonly #deps: HistoryOnDemandDeps
  readonly #code: Later<RoomHistory>
  /** Ids of what was taken because the code did not come: the last of those that follow each other, and the first. */
  readonly #early = new Map<string, string>()
  /** Until what is live waits no longer for the code. */
  #timer: TimerHandle | undefined
  /** Waiting for the code. */
  #waiting = 0
  #welcomed: Welcome | undefined
  /** By the server's clock. */
  #cameAtMs: number | undefined
  /** Once it is loaded. */
  here: RoomHistory | undefined
  /** A message came live on a channel. False: not now. */
  hear: RoomHistory['hear'] = takeAtOnce

  constructor(deps: HistoryOnDemandDeps) {
    this.#deps = deps
    this.#code = new Later(() => this.#load(), deps.clock)
  }

  /** Nothing waits to be stored. */
  get quiet(): boolean {
    return this.#waiting === 0 && this.here?.quiet !== false
  }

  /** As the newest welcome says. */
  get kept(): KeptRoom | undefined {
    return this.#welcomed?.history
  }

  /** The room has come to a welcome. */
  welcome(message: Welcome): void {
    this.#welcomed = message
    this.#cameAtMs ??= message.timeMs
    this.here?.welcome(message)
    if (message.history?.mail && message.access?.userId) this.follow()
  }

  /** Something may come before what is live, which waits until that is known; but not for code that does not come. */
  follow(): void {
    if (this.hear !== takeAtOnce) return
    this.hear = holdBack
    const loaded = (): void => {}
    const letGo = (): void => {
      if (this.hear !== holdBack) return
      this.hear = (channel, message) => {
        const taken = takeAtOnce(channel, message)
        if (taken) this.#note(message.id)
        return taken
      }
      this.#deps.release()
    }
    this.#timer = this.#deps.clock.setTimeout(letGo, CODE_MS)
    this.#code.do(loaded, loaded, () => {
      letGo()
      this.#code.do(loaded)
    })
  }

  /** Never rejects unhandled. */
  use<T>(use: (history: RoomHistory) => T | Promise<T>): Promise<T> {
    this.#waiting += 1
    const used = new Promise<RoomHistory>((resolve, reject) => {
      const ask = (tries: number): void =>
        this.#code.do(resolve, resolve, () =>
          tries > 0 ? ask(tries - 1) : reject(new PartylineError('unsupported', 'The code for this does not load')),
        )
      ask(TRIES)
      if (!this.#code.here)
        this.#deps.closed.then((error) => reject(error ?? new PartylineError('closed', 'the room is closed')))
    })
      .finally(() => {
        this.#waiting -= 1
      })
      .then(use)
    used.catch(() => {})
    return used
  }

  /** The room is over. */
  close(): void {
    this.#code.close()
    // Nothing is followed any more: a room may be over before it has begun.
    this.hear = holdBack
    this.#disarm()
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#deps.clock.clearTimeout(this.#timer)
  }

  #note(id: string): void {
    const early = this.#early
    const [, channel, ordinal] = /^(.*-u?)(\d+)$/.exec(id) ?? []
    const before = `${channel}${Number(ordinal) - 1}`
    const first = early.get(before) ?? early.get(id) ?? id
    early.delete(before)
    early.set(id, first)
    const [oldest] = early.size > MOST_EARLY ? early.keys() : []
    if (oldest !== undefined) early.delete(oldest)
  }

  async #load(): Promise<RoomHistory> {
    const make = await this.#deps.load()
    const history = make({ early: this.#early, cameAtMs: () => this.#cameAtMs ?? 0 })
    this.#disarm()
    // Before anybody who waits for it has it: a welcome may come meanwhile.
    this.here = history
    this.hear = history.hear
    if (this.#welcomed) history.welcome(this.#welcomed)
    this.#deps.release()
    return history
  }
}
