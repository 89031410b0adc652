import type { RoomEvents } from 'partyline'
import { formatNames } from '../../ui/format.ts'

export const welcomeText = (others: readonly string[]): string =>
  others.length === 0
    ? 'You are in. Nobody else is here yet: share the link to bring somebody in.'
    : `You are in. Here already: ${formatNames(others, 8)}.`

/** @param sameNameHere somebody of the same name is still here: after a reload, one's new self */
export function departureText(name: string, reason: RoomEvents['leave']['reason'], sameNameHere: boolean): string {
  if (sameNameHere && reason !== 'removed') return `An earlier visit of ${name} ended`
  switch (reason) {
    case 'left':
      return `${name} left`
    case 'expired':
      return `${name} did not come back`
    case 'removed':
      return `${name} was removed`
    case 'lost':
      return `${name} could not be reached any more`
  }
}

export function gapText(name: string, reason: RoomEvents['gap']['reason']): string {
  switch (reason) {
    case 'lagging':
      return `Some messages from ${name} are missing here: this page was too far behind.`
    case 'expired':
      return `Some messages from ${name} may be missing here: one of you was away for too long.`
    case 'withheld':
      return `Some messages from ${name} are missing here: they were kept back on their way.`
  }
}
