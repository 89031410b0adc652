import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'

export interface DropAreaProps {
  readonly offerFiles: (files: Iterable<File>) => void
  readonly children: ComponentChildren
}

const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false

/** Takes files that are dropped anywhere on it. The button in the composer does the same by keyboard. */
export function DropArea({ offerFiles, children }: DropAreaProps) {
  const [isOver, setOver] = useState(false)
  // Entering a child comes before leaving its parent: only a count tells inside from outside.
  const depth = useRef(0)
  const moveBy = (step: number): void => {
    depth.current = Math.max(0, depth.current + step)
    setOver(depth.current > 0)
  }
  return (
    <section
      class="drop-area"
      aria-label="Conversation"
      data-testid={testIds.dropZone}
      onDragEnter={(event) => carriesFiles(event) && moveBy(1)}
      onDragLeave={(event) => carriesFiles(event) && moveBy(-1)}
      onDragOver={(event) => carriesFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        if (!carriesFiles(event)) return
        event.preventDefault()
        moveBy(-depth.current)
        offerFiles([...(event.dataTransfer?.files ?? [])])
      }}
    >
      {children}
      {isOver && (
        <div class="drop-hint" aria-hidden="true">
          Drop to offer to everybody here
        </div>
      )}
    </section>
  )
}
