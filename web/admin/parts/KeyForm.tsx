import { useId, useState } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'
import type { AdminError } from '../model/admin-api.ts'

export interface KeyFormProps {
  /** Why the key before was not taken. */
  readonly refused: AdminError | undefined
  readonly onKey: (key: string) => void
}

const WORDS = Object.freeze({
  'wrong-key': 'The server does not take this key.',
  'no-key-here': 'This server has no API key, so nobody may administer it. Start it with --api-key.',
} as const)

const wordsOf = ({ code, message }: AdminError): string =>
  code === 'wrong-key' || code === 'no-key-here' ? WORDS[code] : message

export function KeyForm({ refused, onKey }: KeyFormProps) {
  const [key, setKey] = useState('')
  const hint = useId()
  return (
    <form
      class="card key-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (key.trim() !== '') onKey(key.trim())
      }}
    >
      <label class="field">
        <span>API key</span>
        <input
          class="input"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={key}
          aria-describedby={hint}
          data-testid={testIds.adminKey}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <p class="field-hint" id={hint}>
        One of the keys that the server was started with (--api-key). It is kept in this tab until the tab is closed.
      </p>
      {refused !== undefined && (
        <p class="callout callout-warning" role="alert" data-testid={testIds.adminRefused}>
          {wordsOf(refused)}
        </p>
      )}
      <button type="submit" class="button button-primary" data-testid={testIds.adminEnter}>
        Show the server
      </button>
    </form>
  )
}
