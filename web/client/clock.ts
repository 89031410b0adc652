/** Time as the client sees it: injected, so that tests and the simulator own it. */
export interface Clock {
  /** Monotonic ms; only differences mean something. */
  now(): number
  setTimeout(callback: () => void, delayMs: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
}

declare const timerBrand: unique symbol
export type TimerHandle = { readonly [timerBrand]: true }

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs) as unknown as TimerHandle,
  clearTimeout: (handle) => clearTimeout(handle as unknown as number),
}
