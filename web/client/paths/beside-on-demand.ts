import type { PeerSignal } from '../../../signaling/protocol/index.ts'
import type { DirectPath } from './path.ts'
import type { PathsBeside } from './paths-beside.ts'

/** Peer connections beside the path in use, whose code is loaded when bulk has to wait, or the other side offers one. */
export class BesideOnDemand {
  readonly #load: () => Promise<PathsBeside>
  #loading: Promise<void> | undefined
  #paths: PathsBeside | undefined
  #stopped = false

  /** `load` rejects when it cannot be: then there are none. */
  constructor(load: () => Promise<PathsBeside>) {
    this.#load = load
  }

  /** Neither the direct path in use nor those beside it take more bulk now. */
  waiting(main: DirectPath, rttMs: number): void {
    if (this.#paths === undefined) void this.#loaded()
    else this.#paths.waiting(main, rttMs)
  }

  /** A signal of the other side about one of them. */
  receive(signal: PeerSignal): void {
    if (this.#paths === undefined) void this.#loaded().then(() => this.#paths?.receive(signal))
    else this.#paths.receive(signal)
  }

  /** The path in use has changed: what they carry is sent again. */
  close(): void {
    this.#paths?.close()
  }

  stop(): void {
    this.#stopped = true
    this.#paths?.stop()
  }

  #loaded(): Promise<void> {
    this.#loading ??= this.#load().then(
      (paths) => {
        if (!this.#stopped) this.#paths = paths
      },
      () => undefined,
    )
    return this.#loading
  }
}
