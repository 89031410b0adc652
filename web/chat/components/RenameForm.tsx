import { useEffect, useRef, useState } from 'preact/hooks'
import { PERSON_NAME_CHARACTERS, readPersonName } from '../../ui/person-name.ts'
import { remember } from '../../ui/remembered.ts'
import { testIds } from '../../ui/test-ids.ts'

export interface RenameFormProps {
  readonly name: string
  readonly save: (name: string) => void
  readonly cancel: () => void
}

export function RenameForm({ name, save, cancel }: RenameFormProps) {
  const [typed, setTyped] = useState(name)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.select(), [])
  return (
    <form
      class="rename"
      onSubmit={(event) => {
        event.preventDefault()
        const chosen = readPersonName(typed)
        if (chosen === undefined) return
        remember('name', chosen)
        save(chosen)
      }}
    >
      <input
        ref={input}
        class="input"
        aria-label="Your name"
        maxLength={PERSON_NAME_CHARACTERS}
        autocomplete="nickname"
        data-testid={testIds.renameInput}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.stopPropagation()
          event.preventDefault()
          cancel()
        }}
      />
      <button type="submit" class="button button-small button-primary" data-testid={testIds.renameSave}>
        Save
      </button>
    </form>
  )
}
