/**
 * A second carrier beside the one that is online, to take its place: because that one is in doubt, or because there may
 * be a better one. Once it has joined there is no way back: the server may have given it the session already. Whichever
 * ends first leaves the other.
 */
import { CLOSE, ProtocolError, parseServerMessage } from '../../../signaling/protocol/index.ts'
import type { Carrier, OpenCarrier } from '../carriers/carrier.ts'
import type { TimerHandle } from '../clock.ts'
import { reportError } from '../events.ts'
import type { CarrierKind } from '../face.ts'
import type { UplinkOptions, Welcome } from './contract.ts'
import { JOIN_MS, type Opening } from './openings.ts'

/** A network that loses much makes every carrier doubtful: no more than one race in this time. */
const RACE_EVERY_MS = 3_000

export interface RivalDependencies extends Pick<UplinkOptions, 'clock' | 'choice'> {
  open(climb?: OpenCarrier): Opening
  /** Of the carrier that is online. */
  online(): CarrierKind | undefined
  /** The room is being left. */
  leaving(): boolean
  /** It was given the session. */
  welcome(message: Welcome, rival: Opening): void
  /** Its join will not be said. */
  unsaid(): void
}

export class Rival {
  readonly #dependencies: RivalDependencies
  #opening: Opening | undefined
  /** Until a better carrier is tried, or given up. */
  #climbing: TimerHandle | undefined
  #racedAtMs = Number.NEGATIVE_INFINITY

  constructor(dependencies: RivalDependencies) {
    this.#dependencies = dependencies
  }

  get opening(): Opening | undefined {
    return this.#opening
  }

  /** The carrier is in doubt: open another beside it. */
  race(): void {
    const { clock, online, open } = this.#dependencies
    const nowMs = clock.now()
    if (online() === undefined || this.#opening !== undefined || nowMs - this.#racedAtMs < RACE_EVERY_MS) return
    this.#racedAtMs = nowMs
    this.#opening = open()
  }

  /** There may be a better carrier than the one in use: one is tried beside it, now and then. */
  climbLater(): void {
    const { clock, choice, online } = this.#dependencies
    this.rest()
    const kind = online()
    const climb = kind === undefined ? undefined : choice?.better(kind)
    if (climb !== undefined) this.#climbing = clock.setTimeout(() => this.#climb(climb.open), climb.inMs)
  }

  /** A round trip of the carrier in use. One that was clearly quicker here is tried at once. */
  measured(rttMs: number): void {
    const { choice, online } = this.#dependencies
    const kind = online()
    const climb = kind === undefined ? undefined : choice?.measured(kind, rttMs)
    if (climb !== undefined) this.#climb(climb.open)
  }

  /** The network may be another one: what is known of better carriers counts anew. */
  networkChanged(): void {
    if (this.#climbing !== undefined && this.#opening === undefined) this.climbLater()
  }

  #climb(climb: OpenCarrier): void {
    const { clock, online, open, leaving, unsaid } = this.#dependencies
    if (online() === undefined || this.#opening !== undefined || leaving()) {
      this.climbLater()
      return
    }
    this.rest()
    const rival = open(climb)
    this.#opening = rival
    // It opens, and does not carry.
    this.#climbing = clock.setTimeout(() => {
      if (this.#opening === rival) {
        if (!rival.opened) unsaid()
        this.#drop()
      }
      this.climbLater()
    }, JOIN_MS)
  }

  said(rival: Opening, text: string): void {
    try {
      const message = parseServerMessage(text)
      if (message.t === 'welcome' && message.re === rival.id) this.#dependencies.welcome(message, rival)
      else throw new ProtocolError('t', 'expected welcome')
    } catch (error) {
      if (!(error instanceof ProtocolError)) reportError(error)
      // What is wrong will be told again when the carrier in use is lost.
      else if (this.#opening === rival) this.#drop()
    }
  }

  /** It is closed. */
  ended(): void {
    this.#opening = undefined
    this.climbLater()
  }

  /** What is in use from now on is `carrier`, if any: the rival itself, or else it is of no use any more. */
  settle(carrier: Carrier | undefined): void {
    if (this.#opening?.carrier !== carrier) this.#drop()
    this.#opening = undefined
  }

  /** Nothing better is looked for. */
  rest(): void {
    if (this.#climbing !== undefined) this.#dependencies.clock.clearTimeout(this.#climbing)
  }

  #drop(): void {
    this.#opening?.carrier.close(CLOSE.normal, '')
    this.#opening = undefined
  }
}
