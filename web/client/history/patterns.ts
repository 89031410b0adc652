/** Whether a name fits one of these patterns; `*` in one stands for any characters. */
export const patternsFit = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => fits(name, pattern))

/** The pieces between the stars, each where it is first found: takes no longer than name times pattern. */
function fits(name: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return name === head
  if (!name.startsWith(head)) return false
  let at = head.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return name.length - tail.length >= at && name.endsWith(tail)
}
