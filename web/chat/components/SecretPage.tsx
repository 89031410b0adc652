import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../../ui/Icon.tsx'
import { InsecureNotice } from '../../ui/InsecureNotice.tsx'
import { type RoomLink, readPastedLink, readSecret } from '../../ui/room-link.ts'
import { fitsAsPassword } from '../../ui/room-password.ts'
import { SiteHeader } from '../../ui/SiteHeader.tsx'
import { testIds } from '../../ui/test-ids.ts'

/** Why a room's secret is asked for: those who are there have another one, the link lost it, or it is a password. */
export type SecretWanted = 'wrong' | 'damaged' | 'password'

export interface SecretPageProps {
  readonly root: URL
  readonly link: RoomLink
  readonly wanted: SecretWanted
  readonly enter: (link: RoomLink, password: string | undefined) => void
}

function wordsFor(wanted: SecretWanted, isPassword: boolean): { readonly title: string; readonly text: string } {
  if (isPassword) {
    return wanted === 'wrong'
      ? {
          title: 'That is not the password',
          text: 'Those who are in the room have another one. Nothing could be read.',
        }
      : { title: 'This room has a password', text: 'Ask whoever sent you the link. It is never sent to the server.' }
  }
  return wanted === 'wrong'
    ? {
        title: 'This link has another secret',
        text: 'Those who are in the room have another one, so neither side can read the other. Ask one of them for the whole link.',
      }
    : {
        title: 'A part of this link is missing',
        text: 'Its secret did not come through whole. Copy the link again from where you got it, to its very end.',
      }
}

/** Asks for the secret of a room, before it is entered or after it was the wrong one. */
export function SecretPage({ root, link, wanted, enter }: SecretPageProps) {
  const isPassword = link.lock.kind === 'password'
  const [typed, setTyped] = useState('')
  const [hasFailed, setFailed] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  const { title, text } = wordsFor(wanted, isPassword)
  const submit = (): void => {
    const pasted = readPastedLink(typed)
    const secret = readSecret(typed)
    if (pasted !== undefined && pasted.lock.kind !== 'damaged') enter(pasted, undefined)
    else if (isPassword && fitsAsPassword(typed)) enter(link, typed)
    else if (!isPassword && secret !== undefined) enter({ ...link, lock: { kind: 'secret', secret } }, undefined)
    else setFailed(true)
  }
  return (
    <div class="page">
      <SiteHeader root={root} />
      <main class="page-main secret-page">
        <InsecureNotice />
        <form
          class="card enter"
          data-testid={testIds.secretForm}
          data-reason={wanted}
          onSubmit={(event) => {
            event.preventDefault()
            submit()
          }}
        >
          <h1 class="secret-title">
            <Icon name={wanted === 'password' ? 'lock' : 'warning'} />
            <span role={wanted === 'wrong' ? 'alert' : undefined}>{title}</span>
          </h1>
          <p>
            <strong>
              <bdi>{link.room}</bdi>
            </strong>
            : {text}
          </p>
          <label class="field">
            <span>{isPassword ? 'Password of the room' : 'The whole link, or its secret'}</span>
            <input
              ref={input}
              class="input"
              {...(isPassword ? { type: 'password' as const } : { type: 'text' as const })}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              required
              aria-invalid={hasFailed}
              aria-describedby="secret-fault"
              data-testid={testIds.secretInput}
              value={typed}
              onInput={(event) => {
                setFailed(false)
                setTyped(event.currentTarget.value)
              }}
            />
          </label>
          <p id="secret-fault" class="field-hint field-hint-short" role="status">
            {hasFailed && (isPassword ? 'At most 1,024 bytes.' : 'That is no whole link to a room, and no secret.')}
          </p>
          <button type="submit" class="button button-primary button-large" data-testid={testIds.secretEnter}>
            Go in
          </button>
          <a class="button" href={root.href}>
            Other rooms
          </a>
        </form>
      </main>
    </div>
  )
}
