import { useState } from 'preact/hooks'
import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'

export interface OpenRoomWarningProps {
  readonly sealing: 'link' | 'open'
  readonly makePrivate: () => void
}

const WORDS = Object.freeze({
  link: 'This room has no secret: a server that lies could listen in.',
  open: 'This room is not sealed: the server can read what goes through it.',
})

/** Says honestly what is missing, and offers it. */
export function OpenRoomWarning({ sealing, makePrivate }: OpenRoomWarningProps) {
  const [isShown, setShown] = useState(true)
  if (!isShown) return null
  return (
    <section class="room-warning" aria-label="This room has no secret" data-testid={testIds.openRoomWarning}>
      <Icon name="unlock" />
      <p>{WORDS[sealing]}</p>
      <button type="button" class="button button-small" data-testid={testIds.makePrivate} onClick={makePrivate}>
        Make a private link
      </button>
      <button
        type="button"
        class="button button-quiet button-small button-icon"
        aria-label="Hide this warning"
        title="Hide this warning"
        data-testid={testIds.dismissWarning}
        onClick={() => setShown(false)}
      >
        <Icon name="close" />
      </button>
    </section>
  )
}
