import type { ClientMessage } from '../../../signaling/protocol/index.ts'
import type { UplinkOptions } from './contract.ts'
import type { NetworkEvent } from './network-events.ts'

/** A closed tab lingers for this long; a page that is only put aside for a moment says that it is back. */
const HIDDEN_GRACE_MS = 3_000

export interface NetworkWatchDependencies extends Pick<UplinkOptions, 'network' | 'choice'> {
  /** The room's own grace period; undefined while not online. */
  graceMs(): number | undefined
  say(message: ClientMessage): void
  /** The page is back, or there may be another network. */
  changed(): void
}

/** What the page tells of itself and of its network: a hidden one asks the server for a short grace. */
export class NetworkWatch {
  readonly #dependencies: NetworkWatchDependencies
  #hidden = false
  #unsubscribe: () => void = () => undefined

  constructor(dependencies: NetworkWatchDependencies) {
    this.#dependencies = dependencies
  }

  start(): void {
    this.#unsubscribe = this.#dependencies.network.on((event) => this.#take(event))
  }

  stop(): void {
    this.#unsubscribe()
  }

  /** A new carrier knows nothing yet. */
  welcomed(): void {
    if (this.#hidden) this.#grace(HIDDEN_GRACE_MS)
  }

  #take(event: NetworkEvent): void {
    const { choice, graceMs, changed } = this.#dependencies
    if (event === 'hide') {
      this.#hidden = true
      this.#grace(HIDDEN_GRACE_MS)
      return
    }
    if (event !== 'show') choice?.changed()
    if (this.#hidden && event === 'show') {
      this.#hidden = false
      this.#grace(graceMs() ?? HIDDEN_GRACE_MS)
    }
    changed()
  }

  #grace(graceMs: number): void {
    if (this.#dependencies.graceMs() !== undefined) this.#dependencies.say({ t: 'grace', graceMs })
  }
}
