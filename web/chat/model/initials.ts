const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const firstOf = (word: string): string => segments.segment(word)[Symbol.iterator]().next().value?.segment ?? ''

/** One or two letters for the disc beside a name. */
export function initialsOf(name: string): string {
  const words = name.split(' ').filter((word) => word !== '')
  const last = words.length > 1 ? firstOf(words.at(-1) ?? '') : ''
  return `${firstOf(words[0] ?? '?')}${last}`.toLocaleUpperCase()
}
