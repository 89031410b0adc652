import { readPersonName } from './person-name.ts'
import { browserRandomBelow, suggestPersonName } from './random-words.ts'
import { recall, remember } from './remembered.ts'

/** The name of earlier visits, or a made-up one that is kept from now on, so that nobody has to fill in a form to talk. */
export function ownName(): string {
  const known = readPersonName(recall('name'))
  if (known !== undefined) return known
  const made = suggestPersonName(browserRandomBelow)
  remember('name', made)
  return made
}
