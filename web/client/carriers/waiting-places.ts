/**
 * By HTTP/1.1 a browser keeps six connections to a server, for all its tabs. Requests that the server lets wait must
 * leave some of them to those that send, or all tabs stand still: so many tabs may have one, the others poll shortly.
 */
const PLACES = 4

/** By these, one connection carries everything. */
const isShared = ({ name, nextHopProtocol }: PerformanceResourceTiming, origin: string): boolean =>
  /^h[23]/.test(nextHopProtocol) && name.startsWith(`${origin}/`)

/** The lock of a place until `over` fires; false at once when somebody has it. */
const take = (name: string, over: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      resolve(lock !== null)
      if (lock === null || over.aborted) return undefined
      return new Promise((release) => over.addEventListener('abort', () => release()))
    }
    // Not allowed in some frames: then there is nothing to go by.
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(() => resolve(true))
  })

/** Whether there is room for another request that waits, which is taken until `over` fires. */
export async function waitingPlace({ origin }: URL, over: AbortSignal): Promise<boolean> {
  if (globalThis.navigator?.locks === undefined) return true
  const loaded = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  if (loaded.some((entry) => isShared(entry, origin))) return true
  for (let place = 1; place <= PLACES; place += 1) {
    if (await take(`partyline.waiting ${origin} ${place}`, over)) return true
  }
  return false
}
