import { testIds } from '../ui/test-ids.ts'

/** How a new room is protected. */
export type LockChoice = 'secret' | 'password' | 'none'

export interface ChooseLockProps {
  readonly choice: LockChoice
  readonly choose: (choice: LockChoice) => void
  readonly password: string
  readonly setPassword: (password: string) => void
  /** What is wrong with the password, once something is typed. */
  readonly fault: string | undefined
}

const CHOICES: readonly { readonly choice: LockChoice; readonly word: string; readonly hint: string }[] = [
  {
    choice: 'secret',
    word: 'Private link',
    hint: 'The link carries a secret that is never sent to the server: only who has the whole link can read along.',
  },
  {
    choice: 'password',
    word: 'Password',
    hint: 'Only who knows it can read along. Whoever runs the server could try passwords at home: take several words.',
  },
  {
    choice: 'none',
    word: 'Name only',
    hint: 'Whoever knows the name can come in. The server cannot read along as it is; one that lies could listen.',
  },
]

/** Who can read along in the room: a secret in the link unless somebody wants it otherwise. */
export function ChooseLock({ choice, choose, password, setPassword, fault }: ChooseLockProps) {
  return (
    <fieldset class="field lock-choice">
      <legend>Who can read along</legend>
      <div class="segments">
        {CHOICES.map(({ choice: value, word }) => (
          <label key={value} class="segment" data-testid={testIds.startLock} data-lock={value}>
            <input
              type="radio"
              name="lock"
              value={value}
              checked={choice === value}
              aria-describedby="lock-hint"
              onChange={() => choose(value)}
            />
            <span>{word}</span>
          </label>
        ))}
      </div>
      <p id="lock-hint" class="field-hint" aria-live="polite" data-testid={testIds.startLockHint}>
        {CHOICES.find((one) => one.choice === choice)?.hint}
      </p>
      {choice === 'password' && (
        <>
          <input
            class="input"
            type="password"
            autocomplete="off"
            aria-label="Password of the room"
            aria-describedby="password-fault"
            aria-invalid={password !== '' && fault !== undefined}
            data-testid={testIds.startPassword}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <p id="password-fault" class="field-hint field-hint-short">
            {fault ?? 'Tell it to the others by another way than the link.'}
          </p>
        </>
      )}
    </fieldset>
  )
}
