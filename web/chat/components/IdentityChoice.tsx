import { useState } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import { describeProblem } from '../model/problem.ts'
import type { OwnIdentity } from '../session/own-identity.ts'

export interface IdentityChoiceProps {
  readonly identity: OwnIdentity
  /** Goes in again, with the identity as it is now. */
  readonly joinAgain: () => void
}

/** Whether this browser keeps an identity. It is shown to others from the next visit on. */
export function IdentityChoice({ identity, joinAgain }: IdentityChoiceProps) {
  const pair = useCell(identity.pair)
  const [atOpening] = useState(pair)
  const [fault, setFault] = useState<string | undefined>(undefined)
  /** What was asked for, while it is being done. */
  const [wanted, setWanted] = useState<boolean | undefined>(undefined)
  const change = async (keep: boolean): Promise<void> => {
    setWanted(keep)
    setFault(undefined)
    try {
      if (keep) await identity.keep()
      else identity.forget()
    } catch (error) {
      setFault(`This browser does not keep it: ${describeProblem(error)}`)
    }
    setWanted(undefined)
  }
  return (
    <>
      <h3>Your identity</h3>
      <label class="check">
        <input
          type="checkbox"
          data-testid={testIds.keepIdentity}
          checked={wanted ?? pair !== undefined}
          disabled={wanted !== undefined}
          onChange={(event) => void change(event.currentTarget.checked)}
        />
        <span>
          Keep an identity in this browser
          <span class="check-hint">
            Others recognize you the next time, and compare your safety number once only. It is a key that cannot be
            copied out of this browser.
          </span>
        </span>
      </label>
      {pair !== atOpening && (
        <p class="identity-next">
          {pair === undefined ? 'Forgotten.' : 'Made.'} It counts from your next visit on.{' '}
          <button type="button" class="button button-small" onClick={joinAgain}>
            Go in again now
          </button>
        </p>
      )}
      {fault !== undefined && <p role="alert">{fault}</p>}
    </>
  )
}
