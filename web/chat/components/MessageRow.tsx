import { keepIfSame } from '../../ui/keep-if-same.ts'
import { testIds } from '../../ui/test-ids.ts'
import type { MessageEntry } from '../model/entry.ts'
import { DeliveryMark } from './DeliveryMark.tsx'
import { EntryFrame } from './EntryFrame.tsx'
import { SafeText } from './SafeText.tsx'

export interface MessageRowProps {
  readonly entry: MessageEntry
  readonly from: string
  readonly name: string
  readonly startsGroup: boolean
}

export const MessageRow = keepIfSame(function MessageRow({ entry, from, name, startsGroup }: MessageRowProps) {
  return (
    <li data-testid={testIds.message} data-peer={from} data-own={String(entry.own)} data-delivery={entry.delivery?.at}>
      <EntryFrame from={from} name={name} own={entry.own} atMs={entry.atMs} startsGroup={startsGroup}>
        <div class="message-line">
          <p class="message-text" dir="auto" data-testid={testIds.messageText}>
            <SafeText text={entry.text} />
          </p>
          {entry.delivery !== undefined && <DeliveryMark delivery={entry.delivery} />}
        </div>
      </EntryFrame>
    </li>
  )
})
