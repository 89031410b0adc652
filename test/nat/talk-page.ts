/** What is asked of a page in which somebody talks, whoever drives the browser. */
export interface TalkPage {
  /** Runs in the page; what it takes and what comes back is copied. */
  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Result, Argument>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  /** A new talker can join afterwards. */
  reload(): Promise<void>
  /** Another tab comes in front of it. */
  hide(): Promise<void>
  show(): Promise<void>
  /** With all that is its own. */
  close(): Promise<void>
}

export type Run = (argument: unknown) => never
