import type { MissedReason, PeerId } from 'partyline'
import { formatNames } from '../../ui/format.ts'
import type { Delivery } from './entry.ts'

const REASONS: Readonly<Record<MissedReason, string>> = Object.freeze({
  left: 'had left',
  lagging: 'was too far behind',
  aborted: 'sending was given up',
  closed: 'the room was closed',
})

/** What `delivered` told. */
export function deliveryFrom(
  outcome: { readonly to: readonly PeerId[]; readonly missed: ReadonlyMap<PeerId, MissedReason> },
  nameOf: (peer: PeerId) => string,
): Delivery {
  const to = outcome.to.length
  if (to === 0) return { at: 'nobody' }
  if (outcome.missed.size === 0) return { at: 'delivered', to }
  return {
    at: 'missed',
    to,
    by: [...outcome.missed].map(([peer, reason]) => ({ name: nameOf(peer), reason: REASONS[reason] ?? reason })),
  }
}

/** The state of one's own message in words. */
export function describeDelivery(delivery: Delivery): string {
  switch (delivery.at) {
    case 'sending':
      return 'Sending'
    case 'sent':
      return 'Sent'
    case 'nobody':
      return 'Nobody else was here'
    case 'kept':
      return 'Kept for those who come later'
    case 'delivered':
      return delivery.to === 1 ? 'Delivered' : `Delivered to all ${delivery.to}`
    case 'missed':
      return `Missed by ${formatNames(delivery.by.map((one) => `${one.name} (${one.reason})`))}`
    case 'failed':
      return `Not sent: ${delivery.why}`
  }
}
