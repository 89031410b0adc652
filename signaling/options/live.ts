import type { OptionKey, ServerOptions } from './table.ts'

/**
 * Options that can be changed while the server runs. The others belong to sockets, files and processes made at the
 * start, or to what members were promised in their welcome.
 */
export const LIVE_OPTIONS: ReadonlySet<OptionKey> = new Set<OptionKey>([
  'origins',
  'accessSecret',
  'accessPublicKey',
  'accessJwks',
  'accessAudience',
  'accessIssuer',
  'signingKey',
  'graceMs',
  'joinTimeoutMs',
  'tokenTtlMs',
  'membersPerRoom',
  'roomsPerServer',
  'connectionsPerAddress',
  'messagesPerSecond',
  'bytesPerSecond',
  'slowReaderBytes',
  'slowReaderMs',
  'historyBytes',
  'mailboxesPerRoom',
  'newLogsPerHour',
  'apiKey',
  'webhookSecret',
  'metrics',
  'drainDelayMs',
])

/**
 * Looks at options before they are taken; throws when it cannot use them, else gives what makes them hold. `isNew` is
 * told of an option that is the same and names a file that is not.
 */
export type PrepareOptions = (options: ServerOptions, isNew: (key: OptionKey) => void) => () => void

export interface Reloaded {
  /** Taken; also those that are the same and name a file that is not. */
  readonly changed: readonly OptionKey[]
  /** Changed, too, but only a restart can take them: the old values go on. */
  readonly needRestart: readonly OptionKey[]
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** The options as they hold now. */
export class LiveOptions {
  readonly #prepares: PrepareOptions[] = []
  #present: ServerOptions

  constructor(options: ServerOptions) {
    this.#present = options
  }

  get present(): ServerOptions {
    return this.#present
  }

  /** Whoever must act on a change says so here, in the order in which they act. */
  onReload(prepare: PrepareOptions): void {
    this.#prepares.push(prepare)
  }

  /** Take what differs and can be taken. Throws what a `PrepareOptions` throws, and then nothing has changed. */
  reload(next: ServerOptions): Reloaded {
    const keys = Object.keys(next) as readonly OptionKey[]
    const different = keys.filter((key) => !same(next[key], this.#present[key]))
    const changed = different.filter((key) => LIVE_OPTIONS.has(key))
    const needRestart = different.filter((key) => !LIVE_OPTIONS.has(key))
    const taken: ServerOptions = { ...this.#present, ...Object.fromEntries(changed.map((key) => [key, next[key]])) }
    const inside = new Set<OptionKey>()
    const acts = this.#prepares.map((prepare) => prepare(taken, (key) => inside.add(key)))
    this.#present = taken
    for (const act of acts) act()
    return { changed: [...new Set([...changed, ...inside])], needRestart }
  }
}
