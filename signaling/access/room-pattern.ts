/**
 * Whether a room's name fits a pattern, in which `*` stands for any characters, none included, and everything else for
 * itself. Takes at most (length of the pattern × length of the name) steps, whatever the pattern: it comes from a token.
 */
export function fitsPattern(name: string, pattern: string): boolean {
  let at = 0
  let inPattern = 0
  /** Where to go on when what follows the newest star does not fit: one character further. */
  let star = -1
  let starAt = 0
  while (at < name.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern
      starAt = at
      inPattern += 1
    } else if (inPattern < pattern.length && pattern[inPattern] === name[at]) {
      inPattern += 1
      at += 1
    } else if (star >= 0) {
      inPattern = star + 1
      starAt += 1
      at = starAt
    } else return false
  }
  while (pattern[inPattern] === '*') inPattern += 1
  return inPattern === pattern.length
}
