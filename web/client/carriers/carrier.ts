import type { Clock } from '../clock.ts'
import type { CarrierKind } from '../face.ts'

/** What a carrier tells. Never from inside `open`, and nothing any more after `close`. */
export interface CarrierEvents {
  /**
   * Messages can be sent from now on; the first has been, or goes now. `again`: it went by a carrier that was given up,
   * too, and the server may hear it from there at any time.
   */
  opened(again?: boolean): void
  /** A control message. */
  text(text: string): void
  /** One or more envelopes. The bytes belong to the callee, for as long as it likes. */
  binary(bytes: Uint8Array): void
  /**
   * Exactly once, when the carrier ended, could not open, or did not open in time; not after our own `close`, whose
   * caller knows. `code` is one of `CLOSE`, or what the network made of it (1006).
   */
  closed(code: number, reason: string): void
}

/** One connection to the server. It is never opened again: a new one takes its place. Nothing here throws. */
export interface Carrier {
  readonly kind: CarrierKind
  /** Text is a control message, bytes are envelopes. False when it is not open: the message is gone. */
  send(message: string | Uint8Array): boolean
  /** Bytes taken by `send` and not yet by the network, as far as this platform tells. */
  bufferedBytes(): number
  /**
   * Done with it. What was sent before still goes out if the network lets it; events end at once, so a half-open
   * connection is left behind without waiting for its death. Idempotent.
   */
  close(code: number, reason: string): void
}

/**
 * Start to open a carrier to the server at `server`: an http(s) address that ends with a slash. `first` is the first
 * message, a control message: it goes with what opens the carrier where that can be and `plain` is not asked for, else as
 * soon as it is open.
 */
export type OpenCarrier = (server: URL, first: string, events: CarrierEvents, clock: Clock, plain: boolean) => Carrier

/** The reason of a carrier that ended because there is no way to the server, or none with leave for this page. */
export const UNREACHABLE = 'unreachable'
