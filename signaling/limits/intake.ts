import type { Clock, Timer } from '../clock.ts'
import type { Rate } from './rate.ts'

/** Shared by all intakes: there is one for every connection, so each holds as little as it can. */
export interface IntakeDependencies {
  readonly clock: Clock
  readonly options: { readonly holdBytes: number }
}

export interface IntakeOwner {
  readonly uplink: { pause(): void; resume(): void }
  /** Bytes are lent for the call, as by the uplink; `nowMs` is the time of its coming, or of its being let through. */
  handle(message: string | Uint8Array, nowMs: number): void
  /** More came after the pause than may be held. */
  flooded(): void
}

/** Reading is held at least this long, so that a client at its limit is not paused and resumed for each message. */
const LEAST_PAUSE_MS = 20
/** What holding one message costs beside its bytes: some 200 on Node 20, so that those of no bytes are bounded, too. */
const HELD_OVERHEAD_BYTES = 256

/**
 * What comes from one client, at the rate it may come. A client over its rate is not read from until the rate allows
 * again; what its carrier had already read waits here, in order and bounded.
 */
export class Intake {
  readonly #dependencies: IntakeDependencies
  readonly #owner: IntakeOwner
  #rate: Rate
  /** Of most there is never any. */
  #held: (string | Uint8Array)[] | undefined
  #heldBytes = 0
  #timer: Timer | undefined
  #holding = false
  #stopped = false

  constructor(dependencies: IntakeDependencies, owner: IntakeOwner, rate: Rate) {
    this.#dependencies = dependencies
    this.#owner = owner
    this.#rate = rate
  }

  /** From now on `rate` counts: the member's own, once it is known. */
  useRate(rate: Rate): void {
    this.#rate = rate
  }

  /** Hand nothing on until `release`, as long as it takes: what was handed on last is being looked into. */
  hold(): void {
    if (this.#stopped) return
    this.#holding = true
    this.#owner.uplink.pause()
  }

  release(): void {
    if (this.#stopped) return
    this.#holding = false
    if (this.#timer === undefined) this.#goOn()
  }

  receive(message: string | Uint8Array): void {
    if (this.#stopped) return
    const { clock, options } = this.#dependencies
    // A timer runs as long as something is held for its rate.
    if (this.#timer === undefined && !this.#holding) {
      const nowMs = clock.nowMs()
      if (this.#rate.take(message.length, nowMs)) {
        this.#owner.handle(message, nowMs)
        return
      }
    }
    this.#heldBytes += message.length + HELD_OVERHEAD_BYTES
    if (this.#heldBytes > options.holdBytes) {
      this.#owner.flooded()
      return
    }
    this.#held ??= []
    this.#held.push(typeof message === 'string' ? message : message.slice())
    if (this.#timer === undefined && !this.#holding) {
      this.#wait()
      this.#owner.uplink.pause()
    }
  }

  /** Forget what is held and take nothing more. */
  stop(): void {
    this.#stopped = true
    this.#held = undefined
    this.#heldBytes = 0
    if (this.#timer !== undefined) this.#dependencies.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(): void {
    const { clock } = this.#dependencies
    const waitMs = Math.max(LEAST_PAUSE_MS, Math.ceil(this.#rate.waitMs(clock.nowMs())))
    this.#timer = clock.setTimeout(() => this.#goOn(), waitMs)
  }

  #goOn(): void {
    const nowMs = this.#dependencies.clock.nowMs()
    const held = this.#held ?? []
    let handled = 0
    for (const message of held) {
      if (this.#holding || !this.#rate.take(message.length, nowMs)) break
      handled += 1
      this.#heldBytes -= message.length + HELD_OVERHEAD_BYTES
      this.#owner.handle(message, nowMs)
      if (this.#stopped) return
    }
    held.splice(0, handled)
    if (this.#holding) {
      this.#timer = undefined
      return
    }
    if (held.length > 0) {
      this.#wait()
      return
    }
    this.#timer = undefined
    this.#owner.uplink.resume()
  }
}
