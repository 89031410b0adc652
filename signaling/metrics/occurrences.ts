import type { CLOSE, ErrorCode } from '../protocol/errors.ts'

/** Why the server closes an uplink: the names of the close codes. */
export type CloseName = keyof typeof CLOSE

/** What happened since the start, by kind. */
export interface Happened {
  /** Joins that were granted, those that came back included. */
  readonly joins: number
  /** Joins that brought a session back by its token. */
  readonly resumes: number
  /** Uplinks and joins that were turned away, by the code they were told. */
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>
  /** Uplinks closed by the server, by close code. Those that broke, or fell silent, are not among them. */
  readonly closed: Readonly<Record<number, number>>
}

/** Counts what is rare: nothing here is touched for a frame. */
export class Occurrences {
  #joins = 0
  #resumes = 0
  readonly #refused = new Map<ErrorCode, number>()
  readonly #closed = new Map<number, number>()

  joined(resumed: boolean): void {
    this.#joins += 1
    if (resumed) this.#resumes += 1
  }

  refused(code: ErrorCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  closed(code: number): void {
    this.#closed.set(code, (this.#closed.get(code) ?? 0) + 1)
  }

  get all(): Happened {
    return {
      joins: this.#joins,
      resumes: this.#resumes,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(this.#closed),
    }
  }
}
