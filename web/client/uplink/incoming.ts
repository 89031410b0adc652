import {
  ENVELOPE,
  ProtocolError,
  readEnvelope,
  type ServerMessage,
  type WelcomeLimits,
} from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'
import { type Emitter, reportError } from '../events.ts'
import type { UplinkEvents } from './contract.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Outbox } from './outbox.ts'

/** So many malformed messages from the server, without a good spell between them, end the room. */
const MOST_MALFORMED = 5

export interface IncomingDependencies {
  readonly heartbeat: Pick<Heartbeat, 'heard'>
  readonly outbox: Pick<Outbox, 'flush'>
  readonly events: Pick<Emitter<UplinkEvents>, 'emit'>
  /** @throws ProtocolError */
  parse(text: string): ServerMessage
  message(message: ServerMessage): void
  /** What the server told us of them, while online. */
  limits(): WelcomeLimits | undefined
  /** The carrier brought what cannot be read: the next welcome heals. */
  malformed(): void
  /** So does every carrier. */
  hopeless(error: PartylineError): void
}

/** Reads what the server sends: nothing of it throws out of here. A malformed message costs the carrier. */
export class Incoming {
  readonly #dependencies: IncomingDependencies
  #malformed = 0

  constructor(dependencies: IncomingDependencies) {
    this.#dependencies = dependencies
  }

  text(text: string): void {
    const { message, parse } = this.#dependencies
    this.#take(() => message(parse(text)))
  }

  binary(bytes: Uint8Array): void {
    this.#take(() => this.#unpack(bytes))
  }

  /** The server was well understood for a while. */
  forgive(): void {
    this.#malformed = 0
  }

  #take(handle: () => void): void {
    const { heartbeat, malformed, hopeless } = this.#dependencies
    heartbeat.heard()
    try {
      handle()
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        reportError(error)
        return
      }
      this.#malformed += 1
      if (this.#malformed < MOST_MALFORMED) malformed()
      else {
        const text = `the server sent what this client cannot read: ${error.message}`
        hopeless(new PartylineError('protocol', text, { fatal: true, cause: error }))
      }
    }
    this.flush()
  }

  /** In hidden tabs, timers come late and messages do not. */
  flush(): void {
    this.#dependencies.outbox.flush()
  }

  #unpack(bytes: Uint8Array): void {
    const { events, limits: told } = this.#dependencies
    for (let at = 0; at < bytes.length; ) {
      const limits = told()
      // Closed by a handler, or too early: the streams get by without.
      if (limits === undefined) return
      const { kind, peer, payloadStart, end, slot } = readEnvelope(bytes, at, limits.frameBytes)
      if (kind !== ENVELOPE.from || peer === undefined) throw new ProtocolError('envelope.kind', 'expected from')
      events.emit('frame', { from: peer, payload: bytes.subarray(payloadStart, end), slot })
      at = end
    }
  }
}
