import { useEffect, useState } from 'preact/hooks'

export interface SureButtonProps {
  readonly label: string
  /** What it asks after the first click. */
  readonly sure: string
  /** What it does, for those who do not see where it stands. */
  readonly name: string
  readonly testId: string
  readonly onSure: () => void
}

/** How long the question stands, ms: long enough to decide, short enough not to be hit by mistake later. */
const ASKED_MS = 5_000

/** Does something that cannot be undone, at the second click. */
export function SureButton({ label, sure, name, testId, onSure }: SureButtonProps) {
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    if (!isAsking) return
    const timer = setTimeout(() => setAsking(false), ASKED_MS)
    return () => clearTimeout(timer)
  }, [isAsking])
  return (
    <button
      type="button"
      class={`button button-small ${isAsking ? 'button-danger' : ''}`}
      aria-label={isAsking ? `${sure} ${name}` : name}
      data-testid={testId}
      onClick={() => {
        setAsking(!isAsking)
        if (isAsking) onSure()
      }}
    >
      {isAsking ? sure : label}
    </button>
  )
}
