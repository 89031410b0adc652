/**
 * The seam between carriers and rooms. A carrier (websocket, sse, long-poll, short-poll) gives the hub an `Uplink`
 * for each client that connects, and the hub answers with the handlers that the carrier calls. Neither knows the other.
 */

/** What became of a message: handed to the socket, waiting in its queue, or refused because the queue is full. */
export type SendResult = 'sent' | 'queued' | 'dropped'

export interface Uplink {
  /** The client's real address: the socket's, or what a trusted proxy says it is. */
  readonly address: string
  readonly carrier: 'websocket' | 'sse' | 'long-poll' | 'short-poll'
  /** Text is a control message, bytes are envelopes. Never throws, also after a close. */
  send(message: string | Uint8Array): SendResult
  /** Bytes accepted but not yet taken by the network. */
  queuedBytes(): number
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
  /** The queue has drained after a `send` that did not return `sent`. */
  drained(): void
  /** Called exactly once, whoever closed. */
  closed(): void
}

export interface UplinkAcceptor {
  /** `first`: the first control message, where it came with what opened the carrier; `text` does not get it again. */
  accept(uplink: Uplink, first?: string): UplinkHandlers
}
