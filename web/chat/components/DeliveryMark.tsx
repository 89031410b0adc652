import { Icon, type IconName } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { describeDelivery } from '../model/delivery.ts'
import type { Delivery } from '../model/entry.ts'

const ICONS: Readonly<Record<Delivery['at'], IconName>> = Object.freeze({
  sending: 'clock',
  sent: 'check',
  delivered: 'checks',
  nobody: 'check',
  kept: 'checks',
  missed: 'warning',
  failed: 'warning',
})

/** How far one's own message has come; in words where something went wrong. */
export function DeliveryMark({ delivery }: { readonly delivery: Delivery }) {
  const words = describeDelivery(delivery)
  const isTrouble = delivery.at === 'missed' || delivery.at === 'failed'
  return (
    <span
      class={`delivery${isTrouble ? ' delivery-trouble' : ''}${delivery.at === 'delivered' ? ' delivery-done' : ''}`}
      data-testid={testIds.messageDelivery}
      title={words}
    >
      <Icon name={ICONS[delivery.at]} />
      <span class={isTrouble ? '' : 'visually-hidden'}>{words}</span>
    </span>
  )
}
