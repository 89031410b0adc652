import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Icon } from './Icon.tsx'

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly testId?: string
  readonly children: ComponentChildren
}

/** A modal dialog. The browser keeps the focus inside, closes it on Escape and gives the focus back afterwards. */
export function Dialog({ title, onClose, testId, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const isOver = useRef(false)
  const titleId = useId()
  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => {
      // Gives the focus back. The event of this close comes later, when another dialog may be open: it is not for it.
      isOver.current = true
      dialog?.close()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={titleId}
      data-testid={testId}
      onClose={() => {
        if (!isOver.current) onClose()
      }}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose()
      }}
    >
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id={titleId} class="dialog-title">
            {title}
          </h2>
          <button type="button" class="button button-quiet button-icon" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
