const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

export const timeOf = (atMs: number): string => TIME.format(atMs)
/** Hours and minutes alone: beside a time in full, half of the day is known. */
export const shortTimeOf = (atMs: number): string =>
  TIME.formatToParts(atMs)
    .filter(({ type }) => type !== 'dayPeriod')
    .map(({ value }) => value)
    .join('')
    .trim()
export const dayOf = (atMs: number): string => DAY.format(atMs)
export const fullTimeOf = (atMs: number): string => FULL.format(atMs)
export const machineTimeOf = (atMs: number): string => new Date(atMs).toISOString()
