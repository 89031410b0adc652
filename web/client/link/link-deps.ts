import type { Greeting, InstanceId, LatestFrame, LinkMessage, PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import type { Arrived } from '../delivery/channel-order.ts'
import type { Outbox } from '../delivery/outbox.ts'
import type { ReceiveBudget } from '../delivery/receive-budget.ts'
import type { Link } from './link.ts'
import type { WatchedPath } from './watched-path.ts'

/** What a link needs of its room, and tells it. */
export interface LinkDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly instance: InstanceId
  readonly outbox: Outbox
  readonly budget: ReceiveBudget
  nextTag(): number
  /** Counts up over all links of the room, so that a new link is newer than any before. */
  nextGeneration(): number
  firstSeq(): number
  /** The relay: one frame to this member. */
  relay(to: PeerId, frame: Uint8Array): boolean
  /** Our own round trip to the server, ms; 0 when unknown. */
  uplinkRttMs(): number
  /** The relay did not answer in time: is the server there? */
  suspectUplink(): void
  /** How long we may hold back an acknowledgement: grows with the room. */
  ackDelayMs(): number
  /** A member that acknowledges nothing for this long, while the server says it is here, is cut off. */
  maxLagMs(): number
  message(link: Link, message: Arrived): boolean
  latest(link: Link, channelName: string, frame: LatestFrame): void
  linkMessage(link: Link, message: LinkMessage): void
  /** The path in use changed. */
  changed(link: Link): void
  /** Neither the direct path in use nor those beside it take more bulk now. */
  bulkWaits(link: Link, path: WatchedPath): void
  /** The peer's greeting has come, with its channels: it will understand what we send. */
  reached(link: Link, channels: Greeting['channels']): void
  /** We gave up what the peer had not acknowledged: what it must know has to be said again. */
  cutOff(link: Link): void
  /** The peer lost what we sent, or we what it sent. */
  gap(link: Link): void
  /** The peer has ended the link: its member is to leave and join again. */
  forgotten(link: Link): void
  /** A path failed: it is given up. */
  gaveUp(link: Link, path: WatchedPath, reason: string): void
  /** A path's first ping was answered. */
  proven(link: Link, path: WatchedPath): void
}
