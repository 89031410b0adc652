import { formatBytes } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'
import type { FileEntry } from '../model/entry.ts'
import { DownloadLink } from './DownloadLink.tsx'
import { ProgressBar } from './ProgressBar.tsx'
import { ReceiverList } from './ReceiverList.tsx'

/** What can be done with a file. */
export interface FileHandlers {
  readonly accept: (key: string) => void
  readonly decline: (key: string) => void
  readonly cancel: (key: string) => void
  readonly withdraw: (key: string) => void
}

/** The state of a file, and what can be done about it now. */
export function FileActions({ entry, handlers }: { readonly entry: FileEntry; readonly handlers: FileHandlers }) {
  const { key, name, sizeBytes, state } = entry
  switch (state.at) {
    case 'offered':
      return (
        <div class="file-actions">
          <span class="file-note">{formatBytes(sizeBytes)}</span>
          <button
            type="button"
            class="button button-small button-primary"
            aria-label={`Accept ${name}`}
            data-testid={testIds.fileAccept}
            onClick={() => handlers.accept(key)}
          >
            Accept
          </button>
          <button
            type="button"
            class="button button-small"
            aria-label={`Decline ${name}`}
            data-testid={testIds.fileDecline}
            onClick={() => handlers.decline(key)}
          >
            Decline
          </button>
        </div>
      )
    case 'receiving':
      return (
        <div class="file-actions">
          <ProgressBar label={`Receiving ${name}`} bytes={state.bytes} totalBytes={sizeBytes} />
          <button
            type="button"
            class="button button-small"
            aria-label={`Stop receiving ${name}`}
            data-testid={testIds.fileCancel}
            onClick={() => handlers.cancel(key)}
          >
            Stop
          </button>
        </div>
      )
    case 'received':
      return (
        <div class="file-actions">
          <span class="file-note">{formatBytes(sizeBytes)}</span>
          <DownloadLink content={state.content} name={name} />
        </div>
      )
    case 'offering':
      return (
        <div class="file-actions">
          <ReceiverList receivers={state.receivers} sizeBytes={sizeBytes} />
          <button
            type="button"
            class="button button-small"
            aria-label={`Withdraw ${name}`}
            data-testid={testIds.fileWithdraw}
            onClick={() => handlers.withdraw(key)}
          >
            Withdraw
          </button>
        </div>
      )
    default:
      return (
        <p class="file-note">
          {formatBytes(sizeBytes)} · {state.at === 'failed' ? `not received: ${state.why}` : ENDED[state.at]}
        </p>
      )
  }
}

const ENDED = Object.freeze({ saved: 'saved', declined: 'declined', withdrawn: 'withdrawn' } as const)
