/** What `setTimeout` gave; only good for `clearTimeout`. */
export type Timer = object

/** Time as the hub sees it: injected, so that tests can hold it. */
export interface Clock {
  /** Wall clock, ms since 1970. May jump; only tokens, TURN credentials and the room clock depend on its value. */
  nowMs(): number
  setTimeout(run: () => void, delayMs: number): Timer
  clearTimeout(timer: Timer): void
}

export const systemClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  setTimeout: (run: () => void, delayMs: number) => setTimeout(run, delayMs),
  clearTimeout: (timer: Timer) => clearTimeout(timer as NodeJS.Timeout),
})
