/** Controls, invisible characters and direction overrides, with which one text can be made to look like another. */
const DECEPTIVE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu

/** What members wrote, made safe to show in one line. */
export function shownText(text: string, most = 160): string {
  const clean = text.slice(0, most * 4).replace(DECEPTIVE, '\ufffd')
  return [...clean].length > most ? `${[...clean].slice(0, most - 1).join('')}…` : clean
}

/** The name in a profile where there is one, else the profile as JSON. */
export function shownProfile(profile: unknown): string {
  if (profile === null || profile === undefined) return ''
  const name = typeof profile === 'object' && 'name' in profile ? profile.name : profile
  return shownText(typeof name === 'string' ? name : JSON.stringify(profile))
}
