/**
 * What the server keeps of a room, before there is code for it: loaded when there is a use for it, told then of the newest
 * welcome, and asked about each live message, since something kept may have to come before it.
 */
import type { KeptRoom, Message, Payload } from '../face.ts'
import type { Welcome } from '../uplink/uplink.ts'
import type { RoomHistory } from './room-history.ts'

export interface HistoryOnDemandDeps {
  /** Resolves with what makes it, once it is loaded. Rejects when it cannot be. */
  load(): Promise<() => RoomHistory>
  /** The newest welcome still holds. */
  online(): boolean
  /** What has waited on all channels is to be handed on. */
  release(): void
}

const takeAtOnce: RoomHistory['hear'] = (channel, message) => channel.take(message as Message<Payload>)

export class HistoryOnDemand {
  readonly #deps: HistoryOnDemandDeps
  /** Once it is loaded. */
  here: RoomHistory | undefined
  #loading: Promise<RoomHistory> | undefined
  #welcomed: Welcome | undefined
  /** A message came live on a channel. False: not now. */
  hear: RoomHistory['hear'] = takeAtOnce

  constructor(deps: HistoryOnDemandDeps) {
    this.#deps = deps
  }

  /** As the newest welcome says. */
  get kept(): KeptRoom | undefined {
    return this.#welcomed?.history
  }

  /** The room has come to a welcome. */
  welcome(message: Welcome): void {
    this.#welcomed = message
    this.here?.welcome(message)
    if (message.history?.mail && message.access?.userId) this.follow()
  }

  /** Something may come before what is live, which waits until that is known. */
  follow(): void {
    if (this.here) return
    this.hear = () => false
    this.use(() => {}).catch(() => {
      this.hear = takeAtOnce
      this.#deps.release()
    })
  }

  /** Never rejects unhandled. */
  use<T>(use: (history: RoomHistory) => T | Promise<T>): Promise<T> {
    this.#loading ??= this.#load()
    const used = this.#loading.then(use)
    used.catch(() => {})
    return used
  }

  async #load(): Promise<RoomHistory> {
    const make = await this.#deps.load()
    const history = make()
    this.here = history
    this.hear = history.hear
    if (this.#deps.online() && this.#welcomed) history.welcome(this.#welcomed)
    return history
  }
}
