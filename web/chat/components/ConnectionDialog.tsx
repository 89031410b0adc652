import type { PeerId } from 'partyline'
import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from '../../ui/Dialog.tsx'
import { testIds } from '../../ui/test-ids.ts'
import type { ChatSession } from '../session/chat-session.ts'
import type { ConnectionPanelProps } from './ConnectionPanel.tsx'

export interface ConnectionDialogProps {
  readonly session: ChatSession
  readonly id: PeerId
  readonly onClose: () => void
}

/** Opens at once; what is in it is loaded when it is first asked for, since most people never look. */
export function ConnectionDialog({ session, id, onClose }: ConnectionDialogProps) {
  const [Panel, setPanel] = useState<FunctionComponent<ConnectionPanelProps> | undefined>(undefined)
  const [hasFailed, setFailed] = useState(false)
  useEffect(() => {
    import('./ConnectionPanel.tsx').then(
      ({ ConnectionPanel }) => setPanel(() => ConnectionPanel),
      () => setFailed(true), // The server is out of reach, or has newer pages.
    )
  }, [])
  return (
    <Dialog title={`Connection to ${session.members.nameOf(id)}`} onClose={onClose} testId={testIds.connectionPanel}>
      {Panel !== undefined && <Panel session={session} id={id} />}
      {hasFailed && <p>This part of the page could not be loaded. Try again when the server is within reach.</p>}
    </Dialog>
  )
}
