/**
 * What the platform tells about the page and its network. None of it is complete or reliable, so it is only ever a
 * reason to look sooner: `online` after `offline`; `change` of the kind of network; `show` when the page is visible
 * again, thawed, or back from the back-forward cache; `hide` when it goes away, perhaps for good.
 */
export type NetworkEvent = 'online' | 'change' | 'show' | 'hide'

export interface NetworkEvents {
  /** Returns the function that ends the subscription. */
  on(handler: (event: NetworkEvent) => void): () => void
}

/** This browser's events; none where there is no window (Node). */
export const browserNetworkEvents: NetworkEvents = {
  on(handler) {
    const ending = new AbortController()
    const tell = (target: EventTarget | undefined, name: string, event: NetworkEvent, when = () => true): void =>
      target?.addEventListener?.(name, () => when() && handler(event), { signal: ending.signal })
    const page = globalThis.document
    const { connection } = (globalThis.navigator ?? {}) as { readonly connection?: EventTarget }
    tell(globalThis.window, 'online', 'online')
    tell(connection, 'change', 'change')
    tell(globalThis.window, 'pageshow', 'show')
    tell(page, 'resume', 'show')
    tell(page, 'visibilitychange', 'show', () => page.visibilityState === 'visible')
    tell(globalThis.window, 'pagehide', 'hide')
    return () => ending.abort()
  },
}
