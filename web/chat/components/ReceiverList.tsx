import { formatBytes } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'
import type { Receiver } from '../model/entry.ts'
import { ProgressBar } from './ProgressBar.tsx'

export interface ReceiverListProps {
  readonly receivers: readonly Receiver[]
  readonly sizeBytes: number
}

const WORDS = Object.freeze({ done: 'has it', failed: 'did not get it', declined: 'declined' } as const)

/** Who takes the file that we offer, and how far each is. */
export function ReceiverList({ receivers, sizeBytes }: ReceiverListProps) {
  if (receivers.length === 0) {
    return <p class="file-note">{formatBytes(sizeBytes)} · offered; it moves to those who accept</p>
  }
  return (
    <ul class="receivers">
      {receivers.map((receiver) => (
        <li
          key={receiver.peer}
          data-testid={testIds.fileReceiver}
          data-receiver={receiver.peer}
          data-state={receiver.state}
        >
          <bdi>{receiver.name}</bdi>
          {receiver.state === 'running' ? (
            <ProgressBar label={`Sending to ${receiver.name}`} bytes={receiver.bytes} totalBytes={sizeBytes} />
          ) : (
            <span class={`receiver-${receiver.state}`}> {WORDS[receiver.state]}</span>
          )}
        </li>
      ))}
    </ul>
  )
}
