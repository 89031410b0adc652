import type { Entry } from './entry.ts'

/** Entries kept: a page that stays open for days must not grow for ever. The oldest go first. */
export const TIMELINE_ENTRIES = 2_000

export function append(entries: readonly Entry[], entry: Entry, most: number = TIMELINE_ENTRIES): readonly Entry[] {
  return [...entries.slice(Math.max(0, entries.length + 1 - most)), entry]
}

/** As many of what came before as there is room for. */
export function prepend(
  entries: readonly Entry[],
  earlier: readonly Entry[],
  most: number = TIMELINE_ENTRIES,
): readonly Entry[] {
  const room = most - entries.length
  return room <= 0 || earlier.length === 0 ? entries : [...earlier.slice(-room), ...entries]
}

/** The entries with one changed; the same array when the key is not there, or the change is none. */
export function change(entries: readonly Entry[], key: string, toNew: (entry: Entry) => Entry): readonly Entry[] {
  const index = entries.findLastIndex((entry) => entry.key === key)
  const old = entries[index]
  if (old === undefined) return entries
  const entry = toNew(old)
  return entry === old ? entries : entries.with(index, entry)
}
