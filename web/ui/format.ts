const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** `0 bytes`, `999 bytes`, `1.2 kB`, `34 MB`: decimal units, two figures where they tell something. */
export function formatBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1_000
    unit += 1
  }
  const digits = unit > 0 && amount < 9.95 ? 1 : 0
  return `${amount.toFixed(digits)} ${bytes === 1 ? 'byte' : (UNITS[unit] ?? 'bytes')}`
}

/** `0.4 ms` below one, whole milliseconds up to a second, then seconds; a dash when not measured. */
export function formatMs(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–'
  if (milliseconds < 1) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

/** Whole per cent, 100 only when all of it is there. */
export const formatPercent = (part: number, whole: number): string =>
  whole <= 0 ? '100 %' : `${Math.max(0, Math.min(100, Math.floor((part / whole) * 100)))} %`

/** `Ada`, `Ada and Bo`, `Ada, Bo and 3 others`. */
export function formatNames(names: readonly string[], most = 3): string {
  const shown = names.slice(0, names.length > most ? most - 1 : most)
  const others = names.length - shown.length
  const all = others > 0 ? [...shown, `${others} others`] : shown
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}
