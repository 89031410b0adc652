/** Longest file name kept, in characters. */
const FILE_NAME_CHARACTERS = 200
/** Separators and what some system forbids, controls, and direction overrides, which can hide `.exe` as `exe.`. */
const UNFIT = /[/\\:*?"<>|\p{Cc}\p{Cf}]/gu

/** A file name of others, fit to be shown and to be saved under. */
export function readFileName(name: string): string {
  const clean = name
    .slice(0, 4_000)
    .replace(UNFIT, '_')
    .replace(/^[.\s]+|[.\s]+$/gu, '')
  if (clean.length <= FILE_NAME_CHARACTERS) return clean === '' ? 'file' : clean
  const dot = clean.lastIndexOf('.')
  const ending = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : ''
  return clean.slice(0, FILE_NAME_CHARACTERS - ending.length) + ending
}
