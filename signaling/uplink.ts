/**
 * The seam between carriers and rooms. A carrier (websocket, sse, long-poll, short-poll) gives the hub an `Uplink`
 * for each client that connects, and the hub answers with the handlers that the carrier calls. Neither knows the other.
 */

/** What became of a message: handed to the socket, waiting in its queue, refused because that is full, or too late. */
export type SendResult = 'sent' | 'queued' | 'dropped' | 'closed'

/** What a carrier may be able to do: give bytes to many in one go, at a fraction of the cost. */
export interface Topics {
  /** Hear what is published on this topic, from now on, in order with what is sent. */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /**
   * Give `bytes` to all other subscribers, not later than this turn of the event loop ends. How that went, nobody says:
   * ask `queuedBytes` of each now and then.
   */
  publish(topic: string, bytes: Uint8Array): void
}

export interface Uplink {
  /** The client's real address: the socket's, or what a trusted proxy says it is. */
  readonly address: string
  readonly carrier: 'websocket' | 'sse' | 'long-poll' | 'short-poll'
  /** Text is a control message, bytes are envelopes. Never throws, also after a close. */
  send(message: string | Uint8Array): SendResult
  /** Bytes accepted but not yet taken by the network. */
  queuedBytes(): number
  /** Undefined where the carrier has none. Carriers that have, share them: what one publishes, the others hear. */
  readonly topics?: Topics | undefined
  /** Stop and go on reading from the client: its sending is held back, nothing is lost. */
  pause(): void
  resume(): void
  /** Close in order, after what is queued. `closed` is called once, later. */
  close(code: number, reason: string): void
}

export interface UplinkHandlers {
  text(text: string): void
  /** The bytes belong to the callee during the call only, and may be changed in place; copy what is kept. */
  binary(bytes: Uint8Array): void
  /** The queue has drained after a `send` that did not return `sent`, or after something published. */
  drained(): void
  /** Called exactly once, whoever closed. */
  closed(): void
}

export interface UplinkAcceptor {
  /** `first`: the first control message, where it came with what opened the carrier; `text` does not get it again. */
  accept(uplink: Uplink, first?: string): UplinkHandlers
}
