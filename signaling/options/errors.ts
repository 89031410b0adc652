/** An option that cannot be used. The message names it, where it came from, and what it accepts. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
  /** Stable; compare this, not the message. */
  readonly code = 'bad-option'

  constructor(
    /** As in `ServerOptions`, for example `membersPerRoom`; of an unknown option, what was written. */
    readonly key: string,
    /** How it was written: `--members-per-room`, `PARTYLINE_MEMBERS_PER_ROOM`, `"membersPerRoom" in partyline.json`. */
    readonly source: string,
    expected: string,
    options?: ErrorOptions,
  ) {
    super(`${source}: ${expected}`, options)
  }
}
