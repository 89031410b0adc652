/** The API key, kept as long as the tab is open and no longer: it is not for the next who sits here. */
const NAME = 'partyline.api-key'

export function keptKey(): string | undefined {
  try {
    return sessionStorage.getItem(NAME) ?? undefined
  } catch {
    return undefined
  }
}

export function keepKey(key: string | undefined): void {
  try {
    if (key === undefined) sessionStorage.removeItem(NAME)
    else sessionStorage.setItem(NAME, key)
  } catch {
    // Storage is refused: it will be asked for again.
  }
}
