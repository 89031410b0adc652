type SetTimer = (run: () => void, ms?: number) => number

/**
 * Runs in the page: from now on, while the page is hidden, timers that are due run together, once in so many ms, or when
 * the page is shown again. So browsers treat a tab that has been hidden for minutes; Chromium does so by flags only as
 * it likes, and spares some pages.
 */
export function holdTimersBack(everyMs: number): void {
  const { clearTimeout: clear } = window
  const setOne: SetTimer = window.setTimeout.bind(window)
  const setMany: SetTimer = window.setInterval.bind(window)
  const waiting = new Map<number, () => void>()
  const wake = (): void => {
    const due = [...waiting.values()]
    waiting.clear()
    for (const run of due) run()
  }
  setMany(wake, everyMs)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) wake()
  })
  const held =
    (set: SetTimer) =>
    (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]): number => {
      const id = set(() => {
        if (document.hidden) waiting.set(id, () => run(...given))
        else run(...given)
      }, ms)
      return id
    }
  const clearHeld = (id?: number): void => {
    if (id !== undefined) waiting.delete(id)
    clear(id)
  }
  Object.assign(window, {
    setTimeout: held(setOne),
    setInterval: held(setMany),
    clearTimeout: clearHeld,
    clearInterval: clearHeld,
  })
}
