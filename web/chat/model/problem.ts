import type { PartylineError, PartylineErrorCode } from 'partyline'

const isPartylineError = (error: unknown): error is PartylineError =>
  error instanceof Error && error.name === 'PartylineError' && 'code' in error

export const codeOf = (error: unknown): PartylineErrorCode | undefined =>
  isPartylineError(error) ? error.code : undefined

/** Why something failed, for people. */
export const describeProblem = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : 'for a reason the browser does not tell'

/** How a room ended, and whether going in again makes sense. */
export interface Ending {
  readonly title: string
  readonly text: string
  readonly again: boolean
  /** Another secret may help. */
  readonly isWrongSecret?: boolean
}

export function endingFrom(error: PartylineError | undefined): Ending {
  if (error === undefined) return { title: 'You left the room', text: 'The others have been told.', again: true }
  switch (error.code) {
    case 'replaced':
      return { title: 'This room is open elsewhere', text: 'A newer connection of yours took over.', again: true }
    case 'removed':
      return { title: 'You were removed from the room', text: error.message, again: false }
    case 'denied':
      return { title: 'You may not enter this room', text: error.message, again: false }
    case 'room-full':
      return { title: 'The room is full', text: 'Try again when somebody has left.', again: true }
    case 'server-full':
      return { title: 'The server is full', text: 'Try again in a while.', again: true }
    case 'version-unsupported':
      return {
        title: 'This page is out of date',
        text: 'Reload it to get the version that the server speaks.',
        again: true,
      }
    case 'wrong-secret':
      return {
        title: 'The others have another secret',
        text: 'Ask one of them for the whole link.',
        again: true,
        isWrongSecret: true,
      }
    case 'insecure-context':
      return {
        title: 'This page cannot enter a room',
        text: 'Rooms are sealed end to end, for which browsers want a secure page: https, or localhost.',
        again: false,
      }
    case 'sealing-exhausted':
      return { title: 'The keys of this visit are used up', text: 'Go in again to get new ones.', again: true }
    case 'unsupported':
      return { title: 'This browser cannot do it', text: error.message, again: false }
    default:
      return { title: 'The room was closed', text: error.message, again: true }
  }
}
