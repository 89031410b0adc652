/** What is kept in this browser between visits. Private windows may refuse storage: then nothing is remembered. */
const KEYS = Object.freeze({
  name: 'partyline.name',
  theme: 'partyline.theme',
  verified: 'partyline.verified',
  identity: 'partyline.identity',
} as const)

export function recall(what: keyof typeof KEYS): string | undefined {
  try {
    return localStorage.getItem(KEYS[what]) ?? undefined
  } catch {
    return undefined
  }
}

export function remember(what: keyof typeof KEYS, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(KEYS[what])
    else localStorage.setItem(KEYS[what], value)
  } catch {
    // Storage is refused or full: the page works without it.
  }
}
