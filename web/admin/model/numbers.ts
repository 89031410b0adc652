const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const SMALL = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `1,234`; one digit behind the point below ten. */
export const formatCount = (count: number): string => (count < 10 ? SMALL : COUNT).format(count)

/** `42 %`, one digit behind the point below ten. */
export const formatShare = (share: number): string => `${(share * 100).toFixed(share < 0.0995 && share > 0 ? 1 : 0)} %`

/** `12 s`, `5 min`, `3 h`, `2 days`: the largest unit that there is more than one of. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`
}
