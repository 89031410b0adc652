import { useState } from 'preact/hooks'
import { Dialog } from '../../ui/Dialog.tsx'
import { newRoomSecret, privateNameFor, type RoomLink, roomAddress } from '../../ui/room-link.ts'
import { ShareLink } from '../../ui/ShareLink.tsx'
import { testIds } from '../../ui/test-ids.ts'

export interface PrivateRoomDialogProps {
  readonly root: URL
  /** The room without a secret. */
  readonly room: string
  readonly onClose: () => void
}

/** A private room beside one without a secret. */
export function PrivateRoomDialog({ root, room, onClose }: PrivateRoomDialogProps) {
  const [link] = useState<RoomLink>(() => ({
    room: privateNameFor(room),
    lock: { kind: 'secret', secret: newRoomSecret() },
  }))
  const address = roomAddress(root, link)
  return (
    <Dialog title="A private room" onClose={onClose}>
      <p>
        Only who has this link can come in and read along. Send it by another way than this room, where somebody might
        be listening.
      </p>
      <ShareLink address={address} room={link.room} />
      <button
        type="button"
        class="button button-primary"
        data-testid={testIds.goPrivate}
        // The page is loaded anew: see the listener for changes of the fragment in main.tsx.
        onClick={() => location.assign(address)}
      >
        Go there
      </button>
    </Dialog>
  )
}
