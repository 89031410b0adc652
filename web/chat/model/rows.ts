import type { Entry } from './entry.ts'

/** One entry as it stands among its neighbours. */
export interface Row {
  readonly entry: Entry
  /** Shows its author and time: it does not follow closely on the same author's. */
  readonly startsGroup: boolean
  /** The first of its day. */
  readonly startsDay: boolean
  /** The first that has not been seen. */
  readonly startsUnread: boolean
}

/** Messages of one author within this time stand together. */
export const GROUP_MS = 5 * 60_000

const authorOf = (entry: Entry): string | undefined => (entry.kind === 'notice' ? undefined : entry.from)

/** @param dayOf names the day of a time, ms since 1970, where the person is */
export function layOut(
  entries: readonly Entry[],
  unreadFrom: string | undefined,
  dayOf: (atMs: number) => string,
): readonly Row[] {
  let before: Entry | undefined
  return entries.map((entry) => {
    const startsDay = before !== undefined && dayOf(before.atMs) !== dayOf(entry.atMs)
    const startsUnread = entry.key === unreadFrom
    const startsGroup =
      before === undefined ||
      startsDay ||
      startsUnread ||
      authorOf(before) !== authorOf(entry) ||
      entry.atMs - before.atMs > GROUP_MS
    before = entry
    return { entry, startsGroup, startsDay, startsUnread }
  })
}
