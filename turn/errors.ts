/** A TURN option that cannot be used. The message names the key and the accepted range. */
export class TurnOptionsError extends Error {
  override readonly name = 'TurnOptionsError'
  /** Stable; compare this, not the message. */
  readonly code = 'bad-turn-option'
  /** The option that is wrong, as it is written in {@link TurnOptions}, for example `relayPorts.max`. */
  readonly key: string

  constructor(key: string, expected: string, options?: ErrorOptions) {
    super(`TURN option "${key}": ${expected}`, options)
    this.key = key
  }
}
