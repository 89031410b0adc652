/** Time, injected so that tests can hold it. */
export interface TurnClock {
  /** ms since 1970. */
  nowMs(): number
  setTimeout(run: () => void, delayMs: number): object
  clearTimeout(timer: object): void
}

export const systemTurnClock: TurnClock = Object.freeze({
  nowMs: () => Date.now(),
  setTimeout: (run: () => void, delayMs: number) => setTimeout(run, delayMs),
  clearTimeout: (timer: object) => clearTimeout(timer as NodeJS.Timeout),
})

/** Resolves after `delayMs`, or at once when aborted; true when the whole time has passed. */
export function sleep(clock: TurnClock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false)
    const aborted = (): void => {
      clock.clearTimeout(timer)
      resolve(false)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', aborted)
      resolve(true)
    }, delayMs)
    signal.addEventListener('abort', aborted, { once: true })
  })
}
