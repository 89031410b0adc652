import { useEffect, useState } from 'preact/hooks'
import { copyText } from './clipboard.ts'
import { Icon } from './Icon.tsx'

export interface CopyButtonProps {
  /** What is copied, asked for at the click. */
  readonly text: () => string
  readonly label: string
  readonly testId: string
}

/** How long the button says that it has copied, ms: long enough to read. */
const SAID_MS = 2_000

export function CopyButton({ text, label, testId }: CopyButtonProps) {
  const [said, setSaid] = useState<'copied' | 'failed' | undefined>(undefined)
  useEffect(() => {
    if (said === undefined) return
    const timer = setTimeout(() => setSaid(undefined), SAID_MS)
    return () => clearTimeout(timer)
  }, [said])
  return (
    <button
      type="button"
      class="button copy-button"
      data-testid={testId}
      onClick={async () => setSaid((await copyText(text())) ? 'copied' : 'failed')}
    >
      <Icon name={said === 'copied' ? 'check' : 'copy'} />
      <span aria-live="polite">{said === 'copied' ? 'Copied' : said === 'failed' ? 'Select and copy' : label}</span>
    </button>
  )
}
