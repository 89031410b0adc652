import type { RoomStatus } from 'partyline'
import { testIds } from '../../ui/test-ids.ts'

const WORDS: Partial<Readonly<Record<RoomStatus, string>>> = Object.freeze({
  joining: 'Reaching the server… What you write is sent as soon as it answers.',
  reconnecting: 'The server is out of reach: trying again. Members on a direct path still hear you.',
})

/** Says when the server is out of reach. Lies over the conversation, so that nothing moves. */
export function StatusBanner({ status }: { readonly status: RoomStatus }) {
  const words = WORDS[status]
  return (
    <div class="status-banner-place" role="status">
      {words !== undefined && (
        <p class="status-banner" data-testid={testIds.statusBanner}>
          <span class="spinner" aria-hidden="true" />
          {words}
        </p>
      )}
    </div>
  )
}
