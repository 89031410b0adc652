import type { ClientMessage } from '../../../signaling/protocol/index.ts'
import type { Carrier, OpenCarrier } from '../carriers/carrier.ts'
import type { UplinkOptions } from './contract.ts'

/** For the welcome, as long as a carrier has for opening. */
export const JOIN_MS = 10_000
/** Of carriers that do not open, every third takes no join along: a proxy may stumble over it. */
const PLAIN_EVERY = 3

/** A carrier from its opening to the welcome. */
export interface Opening {
  /** Of its join. */
  readonly id: number
  readonly carrier: Carrier
  readonly sinceMs: number
  opened: boolean
}

export interface OpeningsDependencies extends Pick<UplinkOptions, 'server' | 'clock' | 'open'> {
  nextId(): number
  join(id: number): ClientMessage
  opened(opening: Opening): void
  text(opening: Opening, text: string): void
  binary(opening: Opening, bytes: Uint8Array): void
  closed(opening: Opening, code: number, reason: string): void
}

/** Opens carriers, each with a join, and keeps count of those that came to nothing. */
export class Openings {
  /** Said in joins. */
  bytesSent = 0
  /** By all carriers. */
  bytesReceived = 0
  readonly #dependencies: OpeningsDependencies
  /** Carriers whose join was said, and never answered: the server may hear it late, and give one of them the session. */
  #unanswered = 0
  /** Carriers, one after the other, that did not open. */
  #unopened = 0

  constructor(dependencies: OpeningsDependencies) {
    this.#dependencies = dependencies
  }

  get unanswered(): number {
    return this.#unanswered
  }

  get unopened(): number {
    return this.#unopened
  }

  /** `climb`: a better carrier than the one in use, which says its join when it is open. */
  open(climb?: OpenCarrier): Opening {
    const { server, clock, nextId, join, ...told } = this.#dependencies
    const open = climb ?? told.open
    const id = nextId()
    const first = JSON.stringify(join(id))
    this.bytesSent += first.length
    this.#unanswered += 1
    const events = {
      opened: (again = false) => {
        if (again) this.#unanswered += 1
        this.#unopened = 0
        opening.opened = true
        told.opened(opening)
      },
      text: (text: string) => {
        this.bytesReceived += text.length
        told.text(opening, text)
      },
      binary: (bytes: Uint8Array) => {
        this.bytesReceived += bytes.length
        told.binary(opening, bytes)
      },
      closed: (code: number, reason: string) => {
        if (climb !== undefined && !opening.opened) this.#unanswered -= 1
        else if (!opening.opened) this.#unopened += 1
        told.closed(opening, code, reason)
      },
    }
    const plain = this.#unopened % PLAIN_EVERY === PLAIN_EVERY - 1
    const opening: Opening = {
      id,
      carrier: open(server, first, events, clock, plain),
      sinceMs: clock.now(),
      opened: false,
    }
    return opening
  }

  /** One takes too long: another is opened in its place. */
  tooSlow(): void {
    this.#unopened += 1
  }

  /** The join of one was answered, or never said. */
  settled(): void {
    this.#unanswered -= 1
  }
}
