/**
 * How long a safety number stays the same, for people. Only where both keep an identity it is made of these; else it is made
 * of what is new with each visit, and that it changed is no attack.
 *
 * @param theirs the identity that the other one shows
 * @param isOursShown whether we show one on this visit
 */
export function numberLasts(theirs: string | undefined, isOursShown: boolean): string {
  if (theirs === undefined) return 'Keeps no identity in the browser: the number counts for this visit only.'
  const kept = `Keeps an identity, which is verified: ${theirs.slice(0, 16)}…`
  if (isOursShown) return `${kept} The number is the same on every visit.`
  return `${kept} You show none on this visit, so the number will be another on the next; who it is stays known by the identity.`
}
