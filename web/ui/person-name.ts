/** Longest name shown, in characters. */
export const PERSON_NAME_CHARACTERS = 40

/**
 * Controls, invisible characters and direction overrides: with them one name can be made to look like another.
 * The two joiners stay: Persian and Indic names, and many emoji, are written with them.
 */
const DECEPTIVE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu

/** A name as typed or as received, made safe to show; `undefined` when nothing is left of it. */
export function readPersonName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const clean = value.slice(0, 1_000).normalize('NFC').replace(DECEPTIVE, '').trim().replace(/\s+/gu, ' ')
  const short = [...clean].slice(0, PERSON_NAME_CHARACTERS).join('').trim()
  return short === '' ? undefined : short
}
