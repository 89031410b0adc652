import { formatBytes, formatPercent } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'

export interface ProgressBarProps {
  readonly label: string
  readonly bytes: number
  readonly totalBytes: number
}

export function ProgressBar({ label, bytes, totalBytes }: ProgressBarProps) {
  return (
    <span class="progress" data-testid={testIds.transferProgress} data-bytes={bytes} data-total={totalBytes}>
      <progress aria-label={label} max={Math.max(1, totalBytes)} value={totalBytes === 0 ? 1 : bytes} />
      <span class="progress-text">
        {formatPercent(bytes, totalBytes)} of {formatBytes(totalBytes)}
      </span>
    </span>
  )
}
