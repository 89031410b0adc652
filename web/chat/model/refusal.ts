import type { PartylineError, PeerId, RefusedCode } from 'partyline'

/** Somebody that was not let in, or something of a member that was dropped; each member and code once. */
export interface Refusal {
  readonly key: string
  readonly id: PeerId
  readonly code: RefusedCode
  readonly text: string
  readonly times: number
  /** On the room clock, of the last time. */
  readonly atMs: number
}

type Words = (who: string) => string

const WORDS: Readonly<Record<RefusedCode, Words>> = Object.freeze({
  'wrong-secret': (who) => `${who} was kept out: with another secret or password than this room’s.`,
  'seal-mismatch': (who) =>
    `${who} was kept out: in a room of this name whose protection is another one. Use the same link to hear each other.`,
  'seal-changed': (who) => `The server shows other keys of ${who} than before: they are ignored.`,
  'identity-invalid': (who) => `${who} was kept out: with an identity that belongs to somebody else.`,
  'not-admitted': (who) => `${who} was not admitted.`,
  unsealed: (who) => `Something from ${who} was refused: it came through the server without a seal.`,
  forged: (who) => `Something from ${who} was refused: it was altered on its way, or is from somebody else.`,
  replayed: (who) =>
    `Something from ${who} was refused: it had come before. Connections that break may cause this too.`,
  unsigned: (who) => `Something from ${who} was refused: it is not signed, so somebody else may have written it.`,
  'profile-altered': (who) =>
    `The server shows a name or profile of ${who} that is not theirs, or not theirs any more. Do not rely on it.`,
})

/** @param name of a member; `undefined` of somebody who is none */
export function refusalText(error: PartylineError, name = 'Somebody'): string {
  const words: Words | undefined = WORDS[error.code as RefusedCode]
  return words === undefined ? `${name}: ${error.message}` : words(name)
}

/** What a carrier repeats when it is not sure that it arrived is refused too: no reason for alarm. */
export const isAlarming = (code: RefusedCode): boolean => code !== 'replayed'

export function withRefusal(refusals: readonly Refusal[], refusal: Omit<Refusal, 'key' | 'times'>): readonly Refusal[] {
  const key = `${refusal.id} ${refusal.code}`
  const before = refusals.find((one) => one.key === key)
  return [{ ...refusal, key, times: (before?.times ?? 0) + 1 }, ...refusals.filter((one) => one !== before)].slice(
    0,
    MOST,
  )
}

/** Enough to see what is going on. */
const MOST = 50
