/** What came while the person was not looking. */
export interface Unread {
  /** Where the marker stands; it stays after reading, until something is unread again. */
  readonly from: string | undefined
  readonly count: number
}

export const NOTHING_UNREAD: Unread = Object.freeze({ from: undefined, count: 0 })

/** @param watching the page is visible and scrolled to its end */
export function afterArrival(unread: Unread, key: string, watching: boolean): Unread {
  if (watching) return unread
  return unread.count === 0 ? { from: key, count: 1 } : { from: unread.from, count: unread.count + 1 }
}

export const afterReading = (unread: Unread): Unread => (unread.count === 0 ? unread : { ...unread, count: 0 })

/** What one says oneself ends the unread part: the marker goes. */
export const afterSpeaking = (): Unread => NOTHING_UNREAD

/** Title of the page, with the number in front where tabs are cut off. */
export function titleOf(room: string, count: number): string {
  const badge = count === 0 ? '' : `(${count > 99 ? '99+' : count}) `
  return `${badge}${room} · Partyline`
}
