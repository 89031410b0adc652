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

/** Those who do not count as members. */
const KEPT_OUT: ReadonlySet<string> = new Set(['wrong-secret', 'seal-mismatch', 'identity-invalid', 'not-admitted'])

/** @param name of a member; `undefined` of somebody who is none */
export function refusalText(error: PartylineError, name: string | undefined): string {
  if (error.code === 'seal-mismatch' && name === undefined) {
    return 'Somebody is in a room of this name whose protection is another one. You do not hear each other: use the same link.'
  }
  const why = `${error.message}.`
  if (KEPT_OUT.has(error.code)) return `${name ?? 'Somebody'} was kept out. ${why}`
  return `Something from ${name ?? 'somebody'} was refused. ${why}`
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
