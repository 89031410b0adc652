import { Icon, type IconName } from '../ui/Icon.tsx'
import { testIds } from '../ui/test-ids.ts'
import type { Check, Finding, Verdict } from './check.ts'

const ICONS: Readonly<Record<Verdict, IconName>> = Object.freeze({
  good: 'check',
  poor: 'warning',
  bad: 'close',
  skipped: 'dash',
})
const WORDS: Readonly<Record<Verdict, string>> = Object.freeze({
  good: 'good',
  poor: 'could be better',
  bad: 'does not work',
  skipped: 'skipped',
})

export interface CheckRowProps {
  readonly check: Check
  /** Absent until the check has run. */
  readonly finding: Finding | undefined
  readonly isRunning: boolean
}

export function CheckRow({ check, finding, isRunning }: CheckRowProps) {
  const state = finding?.verdict ?? (isRunning ? 'running' : 'waiting')
  return (
    <li class={`check check-${state}`} data-testid={testIds.check} data-check={check.id} data-verdict={state}>
      <span class="check-sign">
        {finding !== undefined ? <Icon name={ICONS[finding.verdict]} /> : isRunning && <span class="spinner" />}
      </span>
      <div class="check-words">
        <h2>
          {check.title}
          {finding !== undefined && <span class="check-verdict">{WORDS[finding.verdict]}</span>}
        </h2>
        <p>{finding?.text ?? (isRunning ? 'Looking…' : 'Waiting')}</p>
        {finding?.details !== undefined && finding.details.length > 0 && (
          <details>
            <summary>Details</summary>
            <ul>
              {finding.details.map((line, index) => (
                // The lines of one finding never move: their place is their key.
                <li key={index}>{line}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  )
}
