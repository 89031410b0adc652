import { useState } from 'preact/hooks'
import { Dialog } from '../../ui/Dialog.tsx'
import { testIds } from '../../ui/test-ids.ts'
import type { AdminApi } from '../model/admin-api.ts'
import { formatDuration } from '../model/numbers.ts'
import type { MemberRow } from '../model/server-data.ts'
import { shownProfile, shownText } from '../model/shown-text.ts'
import { Pager } from './Pager.tsx'
import { SureButton } from './SureButton.tsx'
import { usePages } from './use-pages.ts'

export interface RoomDialogProps {
  readonly api: AdminApi
  readonly room: string
  readonly onClose: () => void
}

/** Who is in a room, and what can be done about it. */
export function RoomDialog({ api, room, onClose }: RoomDialogProps) {
  const pages = usePages<MemberRow>((after) => api.members(room, after), room)
  const [failed, setFailed] = useState<string | undefined>(undefined)
  const act = async (action: Promise<void>, done: () => void): Promise<void> => {
    try {
      await action
      setFailed(undefined)
      done()
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error))
    }
  }
  const trouble = failed ?? pages.trouble
  return (
    <Dialog title={`Room ${shownText(room)}`} onClose={onClose} testId={testIds.adminRoomDialog}>
      {trouble !== undefined && (
        <p class="callout callout-warning" role="alert">
          {trouble}
        </p>
      )}
      <ul class="admin-members">
        {pages.rows.map(({ id, userId, profile, presence, joinedAtMs }) => (
          <li key={id} class="admin-member" data-testid={testIds.adminMember} data-peer={id}>
            <div>
              <strong>{shownProfile(profile) || 'No profile'}</strong>
              <p>
                <code>{id}</code>
                {userId !== undefined && userId !== null && `, user ${shownText(userId, 60)}`}
              </p>
              <p>
                {presence}, joined {formatDuration(Date.now() - joinedAtMs)} ago
              </p>
            </div>
            <SureButton
              label="Remove"
              sure="Really remove?"
              name={`Remove ${shownProfile(profile) || id}`}
              testId={testIds.adminRemove}
              onSure={() => void act(api.removeMember(room, id), pages.again)}
            />
          </li>
        ))}
      </ul>
      {pages.rows.length === 0 && trouble === undefined && (
        <p class="empty">{pages.isAsking ? 'Asking…' : 'Nobody is here any more.'}</p>
      )}
      <Pager pages={pages} of="members" />
      <SureButton
        label="Close the room"
        sure="Really remove everyone?"
        name={`Close the room ${shownText(room)}`}
        testId={testIds.adminCloseRoom}
        onSure={() => void act(api.closeRoom(room), onClose)}
      />
    </Dialog>
  )
}
