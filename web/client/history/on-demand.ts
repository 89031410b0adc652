/**
 * What the server keeps of a room, before there is code for it: loaded when there is a use for it, again and again
 * where it does not come; told then of the newest welcome, and asked about each live message, since something kept may have to come before it.
 */
import type { Clock } from '../clock.ts'
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
  /** The newest welcome still holds. */
  online(): boolean
  /** What has waited on all channels is to be handed on. */
  release(): void
}

/** Ids of live messages that are kept until the code comes. */
const MOST_EARLY = 4_096
/** Further ones, in some 30 s: the server may be about to be started again. */
const TRIES = 5

const takeAtOnce: RoomHistory['hear'] = (channel, message) => channel.take(message as Message<Payload>)

export class HistoryOnDemand {
  readonly #deps: HistoryOnDemandDeps
  readonly #code: Later<RoomHistory>
  /** Ids of what was taken because the code did not come. */
  readonly #early: string[] = []
  #welcomed: Welcome | undefined
  /** By the server's clock. */
  #cameAtMs: number | undefined
  /** A message came live on a channel. False: not now. */
  hear: RoomHistory['hear'] = takeAtOnce

  constructor(deps: HistoryOnDemandDeps) {
    this.#deps = deps
    this.#code = new Later(() => this.#load(), deps.clock)
  }

  /** Once it is loaded. */
  get here(): RoomHistory | undefined {
    return this.#code.here
  }

  /** Nothing waits to be stored. */
  get quiet(): boolean {
    return this.here?.quiet ?? !this.#code.asked
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
    this.hear = () => false
    const loaded = (): void => {}
    this.#code.do(loaded, loaded, () => {
      this.hear = (channel, message) => {
        const taken = takeAtOnce(channel, message)
        if (taken && this.#early.push(message.id) > MOST_EARLY) this.#early.shift()
        return taken
      }
      this.#code.do(loaded)
      this.#deps.release()
    })
  }

  /** Never rejects unhandled. */
  use<T>(use: (history: RoomHistory) => T | Promise<T>): Promise<T> {
    const used = new Promise<RoomHistory>((resolve, reject) => {
      const ask = (tries: number): void =>
        this.#code.do(resolve, resolve, () =>
          tries > 0 ? ask(tries - 1) : reject(new PartylineError('unsupported', 'The code for this does not load')),
        )
      ask(TRIES)
      if (!this.here)
        this.#deps.closed.then((error) => reject(error ?? new PartylineError('closed', 'the room is closed')))
    }).then(use)
    used.catch(() => {})
    return used
  }

  /** The room is over. */
  close(): void {
    this.#code.close()
  }

  async #load(): Promise<RoomHistory> {
    const make = await this.#deps.load()
    const history = make({ early: this.#early, cameAtMs: () => this.#cameAtMs ?? 0 })
    this.hear = history.hear
    if (this.#deps.online() && this.#welcomed) history.welcome(this.#welcomed)
    return history
  }
}
