import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { excessOf } from '../model/line.ts'
import type { ChatSession } from '../session/chat-session.ts'

export interface ComposerProps {
  readonly session: ChatSession
  readonly offerFiles: (files: Iterable<File>) => void
}

/** Where one writes: Enter sends, Shift+Enter begins a new line. */
export function Composer({ session, offerFiles }: ComposerProps) {
  const [text, setText] = useState('')
  const input = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)

  useEffect(() => {
    // On a telephone the focus would bring up the keyboard over the page before it was seen.
    if (matchMedia('(pointer: fine)').matches) input.current?.focus()
  }, [])
  useLayoutEffect(() => {
    const element = input.current
    if (element === null) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])

  const excess = excessOf(text)
  const send = (): void => {
    if (session.send(text)) setText('')
    input.current?.focus()
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {excess > 0 && (
        <p class="composer-excess" role="alert" data-testid={testIds.messageExcess}>
          {excess.toLocaleString()} characters too long for a message: offer it as a file instead.
        </p>
      )}
      <input
        ref={picker}
        class="visually-hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-hidden="true"
        data-testid={testIds.fileInput}
        onChange={(event) => {
          offerFiles([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
        }}
      />
      <button
        type="button"
        class="button button-quiet button-icon"
        aria-label="Offer files"
        title="Offer files (or drop or paste them)"
        data-testid={testIds.attach}
        onClick={() => picker.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <textarea
        ref={input}
        class="composer-input"
        rows={1}
        dir="auto"
        aria-label="Message"
        placeholder={`Message ${session.room.name}`}
        enterkeyhint="send"
        data-testid={testIds.messageInput}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          session.typing.written(event.currentTarget.value)
        }}
        onKeyDown={(event) => {
          // While an input method composes a character, Enter belongs to it.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])]
          if (files.length === 0) return
          event.preventDefault()
          offerFiles(files)
        }}
      />
      <button
        type="submit"
        class="button button-primary button-icon"
        aria-label="Send"
        title="Send (Enter)"
        disabled={text.trim() === '' || excess > 0}
        data-testid={testIds.send}
      >
        <Icon name="send" />
      </button>
    </form>
  )
}
